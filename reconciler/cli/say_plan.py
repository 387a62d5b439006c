"""A plan in the format that `--format` names."""

import json

from reconciler.plan.encode import plan_json
from reconciler.plan.plan import Plan
from reconciler.views.plan_markdown import plan_markdown
from reconciler.views.plan_text import plan_text
from reconciler.views.style import PLAIN, Style


def say_plan(plan: Plan, output: str, style: Style = PLAIN) -> str:
    """The plan as text, JSON or Markdown."""
    if output == "json":
        return json.dumps(plan_json(plan), indent=2, ensure_ascii=False) + "\n"
    return plan_markdown(plan) if output == "markdown" else plan_text(plan, style)
