"""The resources that operations ask leave for, by the Service Authorization Reference.

A template names members of the request in braces; a list of members gives a resource each; a member that already is an
ARN is taken as it is.
"""
