"""One file per figure we publish: `python -m benchmarks.startup`, or all of them: `python -m benchmarks`.

Figures about speed are ratios of two things measured in turn in one run. They are
reported, not enforced: a busy machine must not break a build. Those that need the
public labelled sets read them from the folder named by GENAIOPS_DATA.
"""
