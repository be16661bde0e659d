"""A check of our own beside those of schemathesis: 422 is the answer to what the description refuses, and also to what only the
business refuses. The code tells which, so a request that the description allows must not be called invalid."""

import json

import schemathesis

# What the schemas do not say and `invalid_request` is the right word for: operation, parameter.
TOLD_BY_NO_SCHEMA = {
    # One of the two may be asked for, not both.
    ("listPayments", "invoice"),
    ("listDisputes", "status"),
    ("listRefunds", "payment"),
    # Fields that go together or not at all, told in words: money of a payment, or credit of a customer; a payment's or a grant's;
    # invoices, credit or both, and not neither.
    ("requestRefund", "payment"),
    ("requestRefund", "customer"),
    ("requestRefund", "currency"),
    ("moveAllocation", "payment"),
    ("matchReceipt", "allocations"),
    ("matchReceipt", "customer"),
    # The parts add up to more than 15 digits.
    ("recordPayment", "allocations"),
}


@schemathesis.check
def allowed_is_not_called_invalid(ctx, response, case):
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code != 422:
        return
    problem = json.loads(response.content)
    operation = case.operation.definition.raw.get("operationId")
    param = problem.get("param", "")
    # Each invoice once: no schema can say that one field differs from row to row.
    twice = param.endswith("].invoice") and "that another one names" in problem["detail"]
    # To JSON Schema 79.0 is an integer. An amount with a point is refused all the same: such a program counts in floats.
    point = "floating point" in problem["detail"]
    known = twice or point or (operation, param) in TOLD_BY_NO_SCHEMA
    if problem["code"] == "invalid_request" and not known:
        raise AssertionError(f"The description allows what is refused as invalid: {problem}")
