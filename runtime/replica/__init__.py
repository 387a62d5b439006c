"""What a replica of any engine needs: nothing here knows an engine, or needs more than Python itself.

It is part of the package of each kind of engine, so a change here is a new version of all of them.
"""
