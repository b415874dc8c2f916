"""Responses of the gate that need neither Label Studio nor a session: pages, problems, assets."""

import gzip
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from annotation.gate import headers, pages
from annotation.gate.assets import Asset


def page(html: str, status: int = 200) -> Response:
    return HTMLResponse(html, status, headers={"Content-Security-Policy": headers.page_policy(None)})


def problem(path: str, status: int, sentence: str) -> Response:
    """Says what is wrong: as JSON to scripts, as a page to a person."""
    if _is_api(path):
        return JSONResponse({"detail": sentence}, status)
    return page(pages.message_page("Not found" if status == 404 else "Not now", sentence), status)


def signed_out(path: str, query: str) -> Response:
    """Leads a person to the sign-in page, and from there back to ``path``. Scripts get a problem."""
    if _is_api(path):
        return JSONResponse({"detail": "Your session has ended: sign in again."}, 401)
    goal = quote(path + (f"?{query}" if query else ""), safe="")
    return RedirectResponse(f"/user/login/?next={goal}" if path != "/logout" else "/user/login/", 303)


def asset(found: Asset, asked: Headers) -> Response:
    """A file of Label Studio's pages, compressed if the browser accepts that; empty if the browser has the file."""
    kept = {"ETag": found.etag, "Cache-Control": "private, max-age=600", "Vary": "Accept-Encoding"}
    if found.etag in asked.get("if-none-match", ""):
        return Response(status_code=304, headers=kept)
    if not found.compressed:
        return Response(found.content, media_type=found.media_type, headers=kept)
    if "gzip" in asked.get("accept-encoding", ""):
        return Response(found.content, media_type=found.media_type, headers={**kept, "Content-Encoding": "gzip"})
    return Response(gzip.decompress(found.content), media_type=found.media_type, headers=kept)


def _is_api(path: str) -> bool:
    return path.startswith(("/api/", "/static/", "/react-app/", "/gate/"))
