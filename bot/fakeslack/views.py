"""The views.* methods: modals and the Home tab."""

from typing import Any

from bot.fakeslack.context import MethodContext
from bot.fakeslack.objects import View, view_json
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError, complaint_about_view

Args = dict[str, Any]


def open_(desk: MethodContext, args: Args) -> Json:
    """views.open: a modal for whoever the trigger id came from."""
    trigger = args.get("trigger_id") or args.get("interactivity_pointer")
    if not trigger:
        raise ApiError("invalid_arguments", "[ERROR] missing required field: trigger_id [json-pointer:/]")
    require_valid_view(args["view"], "modal")
    require_unused_external_id(desk, args["view"])
    user = desk.triggers.exchange(trigger)
    return {"view": view_json(desk.workspace.push_view(user, args["view"]))}


def update(desk: MethodContext, args: Args) -> Json:
    """views.update: by view_id or external_id, and only if `hash` is still the view's."""
    if not (args.get("view_id") or args.get("external_id")):
        raise ApiError("invalid_arguments", "[ERROR] missing required field: view_id [json-pointer:/]")
    view = desk.workspace.find_view(view_id=args.get("view_id"), external_id=args.get("external_id"))
    if view is None:
        raise ApiError("not_found")
    require_valid_view(args["view"], view.content["type"])
    require_current_hash(view, args)
    return {"view": view_json(desk.workspace.change_view(view, args["view"]))}


def publish(desk: MethodContext, args: Args) -> Json:
    """views.publish: a person's Home tab."""
    user = desk.user(args["user_id"])
    require_valid_view(args["view"], "home")
    before = desk.workspace.homes.get(user.id)
    if before:
        require_current_hash(before, args)
    home = desk.workspace.new_view(user.id, args["view"])
    desk.workspace.homes[user.id] = home
    desk.workspace.touch()
    return {"view": view_json(home)}


def require_valid_view(view: Json, kind: str) -> None:
    """Raises Refused unless `view` is a good one of that `kind`: modal or home."""
    if view.get("type") != kind:
        raise ApiError("invalid_arguments", f"[ERROR] must be a {kind} [json-pointer:/view/type]")
    complaint = complaint_about_view(view)
    if complaint:
        raise ApiError(complaint.error, *complaint.details)


def require_unused_external_id(desk: MethodContext, view: Json) -> None:
    """Raises Refused (duplicate_external_id) when an open view has the app's name for this one already."""
    external_id = view.get("external_id")
    if external_id and desk.workspace.find_view(external_id=external_id):
        raise ApiError("duplicate_external_id")


def require_current_hash(view: View, args: Args) -> None:
    """Raises Refused (hash_conflict) when the caller knows an older state of the view."""
    if args.get("hash") not in {None, view.hash}:
        raise ApiError("hash_conflict")
