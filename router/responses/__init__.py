"""Responses that a client may go on from: the Responses API's `previous_response_id`."""
