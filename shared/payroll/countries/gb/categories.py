"""The letters and plans that an employee's terms name, and the thresholds that rates hang on."""

from enum import Enum


class NicCategory(Enum):
    """A National Insurance category letter (gov.uk/national-insurance-rates-letters/category-letters)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"
    H = "H"
    I = "I"  # noqa: E741 - the letter is HMRC's
    J = "J"
    K = "K"
    L = "L"
    M = "M"
    N = "N"
    S = "S"
    V = "V"
    X = "X"
    Z = "Z"


class NicThreshold(Enum):
    """Earnings at which a contribution begins or its rate changes."""

    LOWER_EARNINGS_LIMIT = "lower_earnings_limit"
    PRIMARY = "primary_threshold"
    SECONDARY = "secondary_threshold"
    FREEPORT_UPPER_SECONDARY = "freeport_upper_secondary_threshold"
    UPPER_SECONDARY = "upper_secondary_threshold"
    UPPER_EARNINGS_LIMIT = "upper_earnings_limit"


class Plan(Enum):
    """A student loan's repayment plan."""

    PLAN_1 = "plan_1"
    PLAN_2 = "plan_2"
    PLAN_4 = "plan_4"
    PLAN_5 = "plan_5"
    POSTGRADUATE = "postgraduate"
