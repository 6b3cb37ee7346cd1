"""Build hook: the workflow, taken into the package in the layout of the repository."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("Snakefile", "config", "profiles", "workflow")
FOLDER = "mtlaerial/workflow"
"""Where mtlaerial.config.workflow_folder looks for them."""


class WorkflowHook(BuildHookInterface):
    """Ships files that lie beside the package; an editable installation uses them where they are."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to a wheel."""
        # An editable installation would else hold a copy that changes of the repository do not reach.
        if version == "standard":
            build_data["force_include"].update({f"{self.root}/{name}": f"{FOLDER}/{name}" for name in SHIPPED})
