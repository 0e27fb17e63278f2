"""Quantities in the form in which Kubernetes' Go types write them.

The expected forms are those of `Quantity` in apimachinery (pkg/api/resource), which
`kubectl create --dry-run=server` of a Pod shows.
"""

from __future__ import annotations

import pytest

from ray_gke.catalog.quantities import canonical


@pytest.mark.parametrize(
    ("given", "form"),
    [
        (1, "1"),
        ("1", "1"),
        (0, "0"),
        ("0Gi", "0"),
        ("0.5", "500m"),
        (1.5, "1500m"),
        ("1000m", "1"),
        ("2000", "2k"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("8Gi", "8Gi"),
        ("512Ki", "512Ki"),
        ("0.5Ki", "512"),
        ("1073741824", "1073741824"),
        ("1000Mi", "1000Mi"),
        ("0.0005", "0.0005"),
        ("1e3", "1e3"),
        ("many", "many"),
    ],
)
def test_a_quantity_as_go_writes_it(given: object, form: str) -> None:
    assert canonical(given) == form
