"""Reads flow.yaml and joins the rooms from documents to generation: `Flow.build()`, `Flow.ask(question)`."""

from genaiops.flow.flow import Flow
from genaiops.flow.pipeline import Pipeline
from genaiops.flow.settings import EvaluationSettings, FlowSettings

__all__ = ["EvaluationSettings", "Flow", "FlowSettings", "Pipeline"]
