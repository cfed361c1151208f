"""Carry a released model to another authority: recalibrate it there, judge it there, and register it."""
