"""What is done to plans, services and their access. One module per noun; callers import from here."""

from demarc.plans.actions.blocks import block, block_many, unblock
from demarc.plans.actions.discounts import NewDiscount, add_discount, withdraw_discount
from demarc.plans.actions.planned import cancel_planned, carry_out_planned, plan_ahead, tell_begun
from demarc.plans.actions.services import (
    NewService,
    activate_service,
    activate_services,
    add_service,
    add_services,
    change_plan,
    deactivate_customer,
    deactivate_many,
    end_service,
    pause_service,
    set_service_price,
    stop_service,
)
from demarc.plans.actions.tariffs import NewPlan, Priced, create_plan, set_price, set_tax, update_plan

__all__ = [
    "NewDiscount",
    "NewPlan",
    "NewService",
    "Priced",
    "activate_service",
    "activate_services",
    "add_discount",
    "add_service",
    "add_services",
    "block",
    "block_many",
    "cancel_planned",
    "carry_out_planned",
    "change_plan",
    "create_plan",
    "deactivate_customer",
    "deactivate_many",
    "end_service",
    "pause_service",
    "plan_ahead",
    "set_price",
    "set_service_price",
    "set_tax",
    "stop_service",
    "tell_begun",
    "unblock",
    "update_plan",
    "withdraw_discount",
]
