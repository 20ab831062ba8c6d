"""The project that the page on plugins shows can be served."""

from pathlib import Path

from tests.rooms.plugins.conftest import Python
from tests.test_docs import DOCS, blocks


def test_the_spine_toml_of_the_page_describes_an_agent(python: Python, tmp_path: Path) -> None:
    [text] = [block.code for block in blocks(DOCS / "plugins.md") if block.language == "toml"]
    (tmp_path / "spine.toml").write_text(text)
    code = """
from pathlib import Path
from spine_temporal.plugins.project import load_project
[(name, agent)] = load_project(Path.cwd()).items()
print(name, type(agent.provider).__name__, agent.checkpoint.path)
print([type(each).__name__ for each in agent.chain.middlewares])
"""

    told, chain = python(code, STATE=str(tmp_path), ACME_URL="http://127.0.0.1:1", ACME_API_KEY="k").splitlines()

    assert told == f"clerk AcmeProvider {tmp_path}/spine.db"
    assert chain == "['MemoryRecall', 'Retry', 'TenantBudget']"
