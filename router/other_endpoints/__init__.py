"""Exchanges that are no conversation: embeddings, images, audio, rerank; and compaction."""
