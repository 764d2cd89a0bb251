"""Who may do what: one matrix, that the API, the admin and the commands all ask.

Every door asks ``user.has_perm`` for the permission of the verb; a user has it through a group,
and the groups are the roles below. An API key acts as its service user.

Packing slips and invoices go into the parcel: who may complete may make them, and who may export.
Erasing a customer's personal data is no role's: only the operator's commands do that.
"""

from django.apps.registry import Apps

VERB_PERMISSIONS = {
    "view": "orders.view_order",
    "confirm": "orders.confirm_order",
    "complete": "orders.complete_order",
    "cancel": "orders.cancel_order",
    "restock": "orders.restock_order",
    "review": "orders.review_stock",
    "hold": "orders.hold_order",
    "release": "orders.hold_order",
    "amend": "orders.amend_order",
    "export": "orders.export_order",
    "share": "orders.share_filter",
}

_VIEWER = ["view_order", "view_orderitem", "view_orderevent", "view_ordernote"]
_LEDGER = ["view_batch", "view_confirmation", "view_stockmovement", "view_stockattempt"]
_FULFILMENT = [
    *_VIEWER,
    *_LEDGER,
    "add_ordernote",
    "confirm_order",
    "complete_order",
    "hold_order",
]

ROLES: dict[str, list[str]] = {
    "viewer": _VIEWER,
    "fulfilment": _FULFILMENT,
    "manager": [
        *_FULFILMENT,
        "cancel_order",
        "restock_order",
        "amend_order",
        "review_stock",
        "export_order",
        "view_export",
        "share_filter",
    ],
    "auditor": [*_VIEWER, *_LEDGER, "view_user", "view_apikey", "view_export"],
}


def sync_roles(apps: Apps) -> None:
    """Make each role's group hold exactly its permissions; a migration calls it after a change.

    ``apps`` may be a migration's. Creates permissions that Django would only make after the last
    migration has run.
    """
    content_types = apps.get_model("contenttypes", "ContentType")
    permissions = apps.get_model("auth", "Permission")
    groups = apps.get_model("auth", "Group")
    custom = dict(apps.get_model("orders", "Order")._meta.permissions)
    for role, codenames in ROLES.items():
        held = []
        for codename in codenames:
            model = "order" if codename in custom else codename.rpartition("_")[2]
            try:
                apps.get_model("orders", model)
            except LookupError:
                continue  # comes with a later migration, which calls this again
            content_type, _ = content_types.objects.get_or_create(app_label="orders", model=model)
            name = custom.get(codename) or f"Can {codename.replace('_', ' ')}"
            permission, _ = permissions.objects.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            held.append(permission)
        group, _ = groups.objects.get_or_create(name=role)
        group.permissions.set(held)
