#include "data/models/gguf_tensor_table.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "core/base/text.h"

namespace qaq {
namespace {

constexpr std::size_t kMaxNameBytes = 64;
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 62;

struct Entry {
  GgufTensor tensor;
  std::uint64_t offset = 0;  ///< from the beginning of the data
  std::uint64_t n_bytes = 0;
};

std::string read_name(ByteCursor& cursor) {
  cursor.set_place({});
  const std::string_view name = cursor.string("a tensor name");
  if (name.empty()) cursor.refuse("a tensor name is empty");
  if (name.size() > kMaxNameBytes) {
    cursor.refuse(
        cat("a tensor name has ", name.size(), " bytes, and ", kMaxNameBytes, " are the most"));
  }
  if (invalid_utf8_offset(name)) cursor.refuse("a tensor name is not valid UTF-8");
  cursor.set_place(std::string(name));
  return std::string(name);
}

// Reads the extents; their product is the number of elements, checked not to overflow.
std::uint64_t read_extents(ByteCursor& cursor, GgufTensor& tensor) {
  tensor.n_dims = cursor.number<std::uint32_t>("the number of dimensions");
  if (tensor.n_dims > tensor.extents.size()) {
    cursor.refuse(
        cat("has ", tensor.n_dims, " dimensions, and ", tensor.extents.size(), " are the most"));
  }
  std::uint64_t n_elements = 1;
  for (std::uint32_t d = 0; d < tensor.n_dims; ++d) {
    const auto extent = cursor.number<std::uint64_t>("a dimension");
    if (extent == 0) cursor.refuse(cat("dimension ", d, " is 0"));
    if (extent > kMaxElements / n_elements)
      cursor.refuse("the dimensions are too large: their product overflows");
    n_elements *= extent;
    tensor.extents[d] = static_cast<std::int64_t>(extent);
  }
  return n_elements;
}

Entry read_entry(ByteCursor& cursor) {
  Entry entry;
  GgufTensor& tensor = entry.tensor;
  tensor.name = read_name(cursor);
  const std::uint64_t n_elements = read_extents(cursor, tensor);
  const auto type = cursor.number<std::uint32_t>("a tensor type");
  tensor.type = find_ggml_type(type);
  if (!tensor.type) {
    cursor.refuse(cat("tensor type ", type, " is unknown"), "convert the model to a common type");
  }
  if (tensor.extents[0] % tensor.type->block_elements != 0) {
    cursor.refuse(cat("rows of ", tensor.extents[0], " numbers are no whole blocks of ",
                      tensor.type->block_elements, " (", tensor.type->name, ")"));
  }
  const std::uint64_t n_blocks =
      n_elements / static_cast<std::uint64_t>(tensor.type->block_elements);
  const auto block_bytes = static_cast<std::uint64_t>(tensor.type->block_bytes);
  if (n_blocks > kMaxElements / block_bytes) cursor.refuse("the size in bytes overflows");
  entry.n_bytes = n_blocks * block_bytes;
  entry.offset = cursor.number<std::uint64_t>("a tensor offset");
  return entry;
}

void refuse_overlaps(ByteCursor& cursor, std::vector<const Entry*> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry* a, const Entry* b) { return a->offset < b->offset; });
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const Entry &before = *entries[i - 1], &after = *entries[i];
    if (after.offset < before.offset + before.n_bytes) {
      cursor.set_place(after.tensor.name);
      cursor.refuse(cat("its data overlap those of ", before.tensor.name));
    }
  }
}

}  // namespace

std::vector<GgufTensor> read_tensor_table(ByteCursor& cursor, std::uint64_t n_tensors,
                                          std::uint64_t alignment,
                                          std::span<const std::byte> file) {
  std::vector<Entry> entries;
  std::unordered_set<std::string> names;
  for (std::uint64_t i = 0; i < n_tensors; ++i) {
    entries.push_back(read_entry(cursor));
    if (!names.insert(entries.back().tensor.name).second) {
      cursor.refuse("two tensors have this name: it is a duplicate");
    }
  }
  cursor.set_place({});
  const std::uint64_t begin = (cursor.offset() + (alignment - 1)) / alignment * alignment;
  if (begin > file.size() && !entries.empty()) {
    cursor.refuse(cat("with alignment ", alignment, " the tensors begin at byte ", begin,
                      ", beyond the end of the file"));
  }
  const std::uint64_t n_data = begin > file.size() ? 0 : file.size() - begin;
  std::vector<const Entry*> placed;
  for (Entry& entry : entries) {
    cursor.set_place(entry.tensor.name);
    if (entry.offset % alignment != 0) {
      cursor.refuse(
          cat("the offset ", entry.offset, " is no multiple of the alignment ", alignment));
    }
    if (entry.offset > n_data || entry.n_bytes > n_data - entry.offset) {
      cursor.refuse(cat("its ", entry.n_bytes, " bytes at offset ", entry.offset,
                        " go beyond the end of the file"));
    }
    entry.tensor.bytes = file.subspan(static_cast<std::size_t>(begin + entry.offset),
                                      static_cast<std::size_t>(entry.n_bytes));
    placed.push_back(&entry);
  }
  refuse_overlaps(cursor, placed);
  std::vector<GgufTensor> tensors;
  for (Entry& entry : entries) tensors.push_back(std::move(entry.tensor));
  return tensors;
}

}  // namespace qaq
