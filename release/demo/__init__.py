"""Invented registers, as a statistics office would receive them. Nobody in them is real."""

from release.demo.make import DemoReport, make_demo

__all__ = ["DemoReport", "make_demo"]
