"""The command of a teacher, `python -m exercises report FOLDER`. It belongs to the class: classroom/report.py."""

import runpy

runpy.run_module("classroom.report", run_name="__main__")
