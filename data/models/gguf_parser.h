#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/models/gguf_metadata.h"
#include "data/models/gguf_tensor.h"

namespace qaq {

/// What a GGUF file says, pointing into its bytes.
struct GgufContents {
  std::uint32_t version = 0;
  std::uint64_t alignment = 0;
  GgufMetadata metadata;
  std::vector<GgufTensor> tensors;
};

/// Parses a whole GGUF file (version 2 or 3, little-endian). The layout:
///
///   "GGUF", u32 version, u64 tensor count, u64 key count
///   key count times:     string key, u32 type, value
///   tensor count times:  string name, u32 n_dims, u64 extents, u32 type, u64 offset
///   padding to general.alignment (32), from where the tensors' offsets count
///
/// Every count and length is held against the bytes that remain before anything is allocated.
/// Throws Error{input} naming the byte, key or tensor. Source: ggml, docs/gguf.md.
GgufContents parse_gguf(std::span<const std::byte> bytes, const std::string& file);

}  // namespace qaq
