"""The door to the places where pull requests and issues are: GitHub and GitLab.

Belongs here: finding again, writing and closing what we wrote there. Does not belong here: what is written (`views`).
"""
