"""Summary of a region's plan: what Snakemake needs of it, which is read in no time however many images there are."""

import json
from dataclasses import dataclass
from pathlib import Path

from mtlaerial.rasters.grid import Grid
from mtlaerial.regions.region import Region, crs_of, crs_text, grid_of, grid_values
from mtlaerial.system.files import write_text

SUMMARY = "plan.json"
"""Name of its file, beside that of the region."""


@dataclass(frozen=True)
class RegionSummary:
    """Summary of a plan.

    Attributes
    ----------
    plan_id : str
        Hash of what the plan depends on.
    sheets : int
        Number of sheets.
    grid : Grid
        Of the region.
    """

    plan_id: str
    sheets: int
    grid: Grid

    @classmethod
    def of(cls, region: Region) -> "RegionSummary":
        """Return that of a region."""
        return cls(region.plan_id, len(region.sheets), region.grid)

    def save(self, region_file: Path) -> None:
        """Write it beside the region's complete file."""
        values = {
            "plan_id": self.plan_id,
            "sheets": self.sheets,
            "grid": [crs_text(self.grid.crs), *grid_values(self.grid)],
            "bytes": region_file.stat().st_size,
        }
        write_text(region_file.with_name(SUMMARY), json.dumps(values) + "\n")

    @classmethod
    def load(cls, region_file: Path) -> "RegionSummary | None":
        """Return that of a region's file; None where there is none, or the file is another one."""
        try:
            values = json.loads(region_file.with_name(SUMMARY).read_text(encoding="utf-8"))
            if values["bytes"] != region_file.stat().st_size:
                return None
            text, *grid = values["grid"]
            return cls(values["plan_id"], values["sheets"], grid_of(crs_of(text), *grid))
        except (OSError, ValueError, KeyError, TypeError):
            return None
