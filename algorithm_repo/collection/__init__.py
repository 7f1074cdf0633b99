"""Collection: pictures taken from running streams by a policy, to be labelled, and what they say of recall."""
