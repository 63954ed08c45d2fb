"""The one thing that can be wrong with bytes from the network. Knows nothing of what they meant."""


class Malformed(ValueError):
    """These bytes are not what the protocol allows; count them and stay silent (RFC 2865 section 3).

    Whatever else comes out of decoding is a bug of ours.
    """
