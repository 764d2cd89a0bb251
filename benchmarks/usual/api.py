"""The control's calls."""

from typing import Any

import requests
from django.conf import settings
from django.db import transaction
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from benchmarks.usual.models import Order, OrderItem


class Conflict(APIException):
    """There is too little in stock, or the order is not where it should be."""

    status_code = 409
    default_detail = "Conflict"


class ItemSerializer(serializers.ModelSerializer[OrderItem]):
    """One product of an order."""

    productId = serializers.CharField(source="product_id")

    class Meta:
        model = OrderItem
        fields = ("id", "productId", "quantity", "price")


class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order with its items."""

    fullName = serializers.CharField(source="full_name")
    zipCode = serializers.CharField(source="zip_code")
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)
    updatedAt = serializers.DateTimeField(source="updated_at", read_only=True)
    items = ItemSerializer(many=True)

    class Meta:
        model = Order
        fields = (
            "id",
            "fullName",
            "email",
            "address",
            "city",
            "zipCode",
            "status",
            "total",
            "createdAt",
            "updatedAt",
            "items",
        )
        read_only_fields = ("status", "total")

    def create(self, validated_data: dict[str, Any]) -> Order:
        """Ask for the stock, and write the order with its items."""
        items = validated_data.pop("items")
        answer = requests.post(
            f"{settings.INVENTORY_SERVICE_URL}/inventory/check-availability/bulk",
            json={
                "items": [
                    {"product_id": item["product_id"], "required_quantity": item["quantity"]}
                    for item in items
                ]
            },
            timeout=10,
        )
        answer.raise_for_status()
        if not answer.json()["all_available"]:
            raise Conflict
        total = sum(item["quantity"] * item["price"] for item in items)
        with transaction.atomic():
            order = Order.objects.create(total=total, **validated_data)
            OrderItem.objects.bulk_create(OrderItem(order=order, **item) for item in items)
        return order


class Pages(PageNumberPagination):
    """Pages by number, as long as the caller wants."""

    page_size = 10
    page_size_query_param = "limit"
    max_page_size = 100


class OrderViewSet(viewsets.ModelViewSet[Order]):
    """All calls."""

    queryset = Order.objects.prefetch_related("items")
    serializer_class = OrderSerializer
    pagination_class = Pages
    search_fields = ("full_name", "email", "items__product_id")

    def get_permissions(self) -> list[BasePermission]:
        """Let guests place orders and look at them; the rest is for staff."""
        return [AllowAny()] if self.action in ("create", "retrieve") else [IsAuthenticated()]

    @action(detail=True, methods=["patch"])
    def status(self, request: Request, pk: str) -> Response:
        """Confirm the order: deduct a product after the other, and then say so."""
        order = self.get_object()
        if order.status != "PENDING":
            raise Conflict
        for item in order.items.all():
            answer = requests.post(
                f"{settings.INVENTORY_SERVICE_URL}/inventory/items/{item.product_id}/adjust",
                json={"quantity": -item.quantity, "reason": "order"},
                timeout=10,
            )
            answer.raise_for_status()
        order.status = request.data["status"]
        order.save()
        return Response(self.get_serializer(order).data)
