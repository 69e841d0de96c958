"""The views.* methods: modals and the Home tab."""

from bot.fakeslack.context import Context
from bot.fakeslack.objects import View, view_json
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError, check_view


def open_(context: Context, args: Json) -> Json:
    """views.open: a modal for the person the trigger id was issued to."""
    trigger_id = args.get("trigger_id") or args.get("interactivity_pointer")
    if not trigger_id:
        raise ApiError("invalid_arguments", "[ERROR] missing required field: trigger_id [json-pointer:/]")
    check_view_of_type(args["view"], "modal")
    external_id = args["view"].get("external_id")
    if external_id and context.workspace.find_view(external_id=external_id):
        raise ApiError("duplicate_external_id")
    user_id = context.triggers.exchange(trigger_id)
    return {"view": view_json(context.workspace.push_view(user_id, args["view"]))}


def update(context: Context, args: Json) -> Json:
    """views.update, by view_id or external_id."""
    if not (args.get("view_id") or args.get("external_id")):
        raise ApiError("invalid_arguments", "[ERROR] missing required field: view_id [json-pointer:/]")
    view = context.workspace.find_view(view_id=args.get("view_id"), external_id=args.get("external_id"))
    if view is None:
        raise ApiError("not_found")
    check_view_of_type(args["view"], view.content["type"])
    _check_hash(view, args)
    return {"view": view_json(context.workspace.change_view(view, args["view"]))}


def publish(context: Context, args: Json) -> Json:
    """views.publish: a person's Home tab."""
    user = context.user(args["user_id"])
    check_view_of_type(args["view"], "home")
    current = context.workspace.homes.get(user.id)
    if current:
        _check_hash(current, args)
    home = context.workspace.new_view(user.id, args["view"])
    context.workspace.homes[user.id] = home
    context.workspace.touch()
    return {"view": view_json(home)}


def check_view_of_type(view: Json, type_: str) -> None:
    """Raise ApiError unless `view` is a valid view of the type `modal` or `home`."""
    if view.get("type") != type_:
        raise ApiError("invalid_arguments", f"[ERROR] must be a {type_} [json-pointer:/view/type]")
    check_view(view)


def _check_hash(view: View, args: Json) -> None:
    """Raise ApiError (hash_conflict) when the caller's `hash` is that of an older version of the view."""
    if args.get("hash") not in {None, view.hash}:
        raise ApiError("hash_conflict")
