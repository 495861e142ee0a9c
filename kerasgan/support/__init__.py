"""What has nothing to do with generating: files that appear whole, configurable objects, silence, the cache."""
