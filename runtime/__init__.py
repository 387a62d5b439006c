"""The code that Ray imports in the cluster: one package for each kind of application, `engine` and `gateway`.

Each is shipped alone, with this file, so neither may import the other; what both need is in Ray itself.
"""
