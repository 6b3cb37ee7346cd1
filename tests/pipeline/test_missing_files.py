"""Missing files and archives of a project: where to get them, and where they may lie."""

from typing import Any

from mtlaerial.datasets.archives import unpack_pending
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.pipeline.missing_files import SHOWN
from support import tiny
from support.city_project import project_of


def test_missing_files_are_listed_with_where_to_get_them(data: dict[str, Any]) -> None:
    text = project_of(data).missing()
    assert "city (Generated city): 12 required files are missing." in text
    assert "image: 4 missing" in text
    assert "images/city_1.tif" in text
    assert "Where to get it:" in text
    assert "datasets.city.root" in text
    elsewhere = {"folders": ["unpacked", "."], "image": {"files": ["images/{tile}.tif", "{tile}.tif"]}}
    text = project_of(data, elsewhere).missing()
    assert text.count("unpacked/images/city_") == 4
    assert "Also accepted: {tile}.tif" in text
    assert "Each may lie below" in text
    many = {"splits": {"train": [f"city_{i}" for i in range(10, 30)]}}
    assert f"… and {22 - SHOWN} more" in project_of(data, many).missing()


def test_missing_archives_are_listed_with_their_pages(data: dict[str, Any]) -> None:
    archive = {"file": "a.zip", "page": "https://example.org", "holds": "images"}
    more = {"file": "b.zip", "page": "https://example.org", "holds": "more", "optional": True, "md5": "0" * 32}
    project = project_of(data, {"archives": [archive, more]})
    root = project.datasets["city"].root
    text = project.missing()
    assert f"Archive a.zip: images\n    Get it from https://example.org and put it into {root};" in text
    assert f"Optional archive b.zip: more; MD5 {'0' * 32}\n" in text
    tiny.write_zip(root / "a.zip", {"readme.txt": b""})
    project = project_of(data)
    assert "a.zip" not in project.missing()
    unpack_pending(project.datasets["city"].archives)
    (root / "readme.txt").unlink()
    assert "Of a.zip, 1 unpacked files are gone" in project_of(data).missing()


def test_complete_and_generated_data_sets_miss_no_file(data: dict[str, Any], city: Dataset) -> None:
    data["datasets"]["city"]["root"] = str(city.root)
    assert project_of(data).missing() == ""
    data["datasets"]["city"] |= {"root": "nowhere", "generate": {"seed": 1}}
    assert project_of(data).missing() == ""
