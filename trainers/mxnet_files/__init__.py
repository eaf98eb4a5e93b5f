"""The files of an MXNet model, read without MXNet: weights, graph, and whether both fit.

MXNet trusts what it reads: a shape that lies makes it hang or take gigabytes. So these functions read from
bytes, compare every number with what is there, and raise BadModel; MXNet gets what passed.
"""
