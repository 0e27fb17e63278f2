"""The files that `plan` writes besides what it prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ray_gke.errors import UsageError
from ray_gke.targets import folder

if TYPE_CHECKING:
    from ray_gke.commands.on_gke import Pending, Whole
    from ray_gke.planning.capacity import Capacity
    from ray_gke.selection import Choice
    from ray_gke.targets.kubernetes.changes import RunChanges


@dataclass(frozen=True)
class PlanFiles:
    """A page, a summary for a pull request with what was before, and a saved plan."""

    html: Path | None
    markdown: Path | None
    compare_to: Path | None
    out: Path | None

    def check(self, given: Mapping[str, object]) -> None:
        """Raise UsageError for what does not go together; `given` chooses runs.

        Raises InvalidError where there is no plan to compare with.
        """
        if self.compare_to and not self.markdown:
            raise UsageError(
                "--compare-to is what --markdown compares with",
                hint="add --markdown FILE",
            )
        if self.out:
            self._refuse_parts(given)
        # What cannot be read is told at once, not after all of the planning.
        _ = self._before

    def check_for_cluster(self, choice: Choice, namespace: str | None) -> None:
        """Raise UsageError where a cluster that is there has no such file."""
        if self.html or self.markdown:
            raise UsageError(
                "--html and --markdown are about a plan for GKE",
                hint="what would change in a cluster is told with --output json",
            )
        if self.out:
            self._refuse_parts({"--namespace": namespace})
            if choice.platform is None:
                raise self._no_platform()

    def check_without_platform(self) -> None:
        """Raise UsageError where there is nothing that `up` could carry out."""
        if self.out:
            raise self._no_platform()

    def save(self, whole: Whole, found: Pending | None) -> None:
        """Save a plan for GKE."""
        if self.out and found:
            from ray_gke.commands import saved_plans

            folder.write_file(self.out, saved_plans.of_gke(whole, found).text())

    def save_for_cluster(self, choice: Choice, found: Sequence[RunChanges]) -> None:
        """Save one for a cluster that is there."""
        if self.out:
            from ray_gke.commands import saved_plans

            folder.write_file(self.out, saved_plans.of_cluster(choice, found).text())

    def write(self, capacity: Capacity, pending: Pending | None) -> None:
        """Write the page and the summary."""
        if self.html:
            from ray_gke.reporting import plan_page

            folder.write_file(self.html, plan_page.page(capacity))
        if self.markdown:
            from ray_gke.reporting import plan_markdown

            text = plan_markdown.text(capacity, pending, self._before)
            folder.write_file(self.markdown, text)

    @cached_property
    def _before(self) -> Capacity | None:
        if not self.compare_to:
            return None
        from ray_gke.reporting import plan_markdown

        return plan_markdown.read(self.compare_to)

    def _refuse_parts(self, given: Mapping[str, object]) -> None:
        from ray_gke.commands import saved_plans

        saved_plans.refuse_besides("--out", given)

    def _no_platform(self) -> UsageError:
        return UsageError(
            "--out saves the plan of a platform on GKE, or with --on kubernetes of one "
            "in a cluster",
            hint="write ray-gke.yaml with target: gke, or name it with --file",
        )
