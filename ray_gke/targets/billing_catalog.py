"""Cloud Billing's catalog of prices, over HTTPS. It only reads.

Source: Cloud Billing API v1, services.skus.list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ray_gke.catalog.price_skus import Sku
from ray_gke.errors import FailedError, RefusedError

BASE_URL = "https://cloudbilling.googleapis.com"
COMPUTE_ENGINE = "6F81-5844-456A"
PAGE_SIZE = 5000

_MOST_PAGES = 200
_MOST_BYTES = 2**26
_TIMEOUT_SECONDS = 60.0
_NOT_ALLOWED = (401, 403)
_AGAIN = "try again later, or go on with the prices that are built in"


@dataclass(frozen=True)
class Access:
    """The header that lets us in. It is never part of a URL, nor of a message."""

    header: str
    value: str


class _Stay(HTTPRedirectHandler):
    """Follow no redirect: the header would go along, to whoever is named."""

    def redirect_request(self, *_: Any) -> None:
        return None


def access(environment: Mapping[str, str]) -> Access:
    """Return the access that the environment gives. Raises RefusedError without."""
    if key := environment.get("GOOGLE_API_KEY", "").strip():
        return _access("GOOGLE_API_KEY", "X-Goog-Api-Key", key)
    if token := environment.get("GOOGLE_OAUTH_ACCESS_TOKEN", "").strip():
        return _access("GOOGLE_OAUTH_ACCESS_TOKEN", "Authorization", f"Bearer {token}")
    raise RefusedError(
        "the Cloud Billing catalog wants an API key or an access token",
        hint="set GOOGLE_API_KEY, or GOOGLE_OAUTH_ACCESS_TOKEN="
        '"$(gcloud auth print-access-token)"',
    )


def _access(variable: str, header: str, value: str) -> Access:
    if not re.fullmatch(r"[\x20-\x7e]+", value):
        raise RefusedError(
            f"{variable} holds characters that no key or token has",
            hint="set it again, without line breaks",
        )
    return Access(header, value)


def skus(access: Access, base_url: str = BASE_URL) -> list[Sku]:
    """Return all that Compute Engine sells.

    Raises RefusedError when Google does not let us in, FailedError for all else.
    """
    if not re.match("https?://", base_url):
        message = f"{base_url[:80]!r} is no address of the Cloud Billing catalog"
        raise RefusedError(message, hint=f"for example {BASE_URL}")
    found: list[Sku] = []
    token = ""
    for _ in range(_MOST_PAGES):
        page = _page(access, base_url, token)
        found += _skus(page)
        token = page.get("nextPageToken", "")
        if not token:
            return found
    message = f"the Cloud Billing catalog has more than {_MOST_PAGES} pages"
    raise FailedError(message, hint=_AGAIN)


def _page(access: Access, base_url: str, token: str) -> dict[str, Any]:
    query = {"pageSize": str(PAGE_SIZE), "currencyCode": "USD"}
    query |= {"pageToken": token} if token else {}
    path = f"/v1/services/{COMPUTE_ENGINE}/skus?{urlencode(query)}"
    request = Request(  # noqa: S310 `skus` has checked the scheme
        base_url.rstrip("/") + path, headers={access.header: access.value}
    )
    try:
        with build_opener(_Stay).open(request, timeout=_TIMEOUT_SECONDS) as answer:
            page = json.loads(answer.read(_MOST_BYTES), parse_float=Decimal)
    except HTTPError as error:
        with error:
            raise _refused(error) from None
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        message = f"the Cloud Billing catalog cannot be reached: {reason}"
        raise FailedError(message, hint=_AGAIN) from None
    except ValueError:
        raise _not_understood() from None
    if not isinstance(page, dict):
        raise _not_understood()
    return page


def _refused(error: HTTPError) -> RefusedError | FailedError:
    said = _said(error)
    if error.code in _NOT_ALLOWED or "API key" in said:
        return RefusedError(
            f"the Cloud Billing catalog refuses us ({error.code}){said}",
            hint="check the key or token, and that cloudbilling.googleapis.com is "
            "enabled in its project",
        )
    message = f"the Cloud Billing catalog answered {error.code}{said}"
    return FailedError(message, hint=_AGAIN)


def _said(error: HTTPError) -> str:
    """Return what Google says about it, on one line and fit for a terminal."""
    try:
        message = str(json.loads(error.read(10_000))["error"]["message"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return ""
    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    return f": {line[:300]}"


def _skus(page: Mapping[str, Any]) -> Iterator[Sku]:
    try:
        for sku in page.get("skus", ()):
            if sku.get("pricingInfo"):
                yield _sku(sku)
    except (AttributeError, KeyError, TypeError, IndexError, InvalidOperation):
        raise _not_understood() from None


def _sku(sku: Mapping[str, Any]) -> Sku:
    """Read one SKU: its latest price, of the last tier (earlier ones may be free)."""
    expression = sku["pricingInfo"][-1]["pricingExpression"]
    rates = expression.get("tieredRates", [])
    unit_price = rates[-1]["unitPrice"] if rates else {}
    nanos = Decimal(unit_price.get("nanos", 0)).scaleb(-9)
    return Sku(
        description=str(sku["description"]),
        usage_type=str(sku["category"]["usageType"]),
        regions=tuple(str(region) for region in sku.get("serviceRegions", ())),
        price=Decimal(unit_price.get("units", "0")) + nanos,
    )


def _not_understood() -> FailedError:
    return FailedError("the Cloud Billing catalog's answer is not as expected")
