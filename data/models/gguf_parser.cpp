#include "data/models/gguf_parser.h"

#include <bit>
#include <string_view>
#include <unordered_set>

#include "core/base/text.h"
#include "data/models/byte_cursor.h"
#include "data/models/file_kind.h"
#include "data/models/gguf_tensor_table.h"

namespace qaq {
namespace {

constexpr std::uint64_t kDefaultAlignment = 32;
constexpr int kMaxArrayDepth = 4;
// Smallest encodings, in bytes: a key of one letter with a truth value, a tensor of no dimension.
constexpr std::uint64_t kMinEntryBytes = 8 + 1 + 4 + 1;
constexpr std::uint64_t kMinTensorBytes = 8 + 1 + 4 + 4 + 8;

std::uint32_t read_version(ByteCursor& cursor) {
  cursor.take(4, "the magic number");
  const auto version = cursor.number<std::uint32_t>("the version");
  if (version == 2 || version == 3) return version;
  // Small numbers with their bytes swapped have an empty low half.
  if ((version & 0xffffu) == 0 && version != 0) {
    cursor.refuse("the file is big-endian", "convert it to little-endian byte order");
  }
  cursor.refuse(cat("GGUF version ", version, " is not read, versions 2 and 3 are"),
                "convert the model again with a current converter");
}

void check_count(const ByteCursor& cursor, std::uint64_t count, std::string_view what,
                 std::uint64_t min_bytes) {
  if (count > cursor.remaining() / min_bytes) {
    cursor.refuse(cat("the ", what, " count ", count, " is more than the file can hold"));
  }
}

GgufType read_type(ByteCursor& cursor) {
  const auto type = GgufType{cursor.number<std::uint32_t>("a value type")};
  if (!gguf_type_name(type)) {
    cursor.refuse(cat("value type ", static_cast<std::uint32_t>(type), " is unknown"));
  }
  return type;
}

GgufArray read_array(ByteCursor& cursor, std::span<const std::byte> file, int depth) {
  if (depth > kMaxArrayDepth) cursor.refuse("arrays are nested too deep");
  GgufArray array;
  array.element = read_type(cursor);
  array.count = cursor.number<std::uint64_t>("an array's count");
  const std::size_t begin = cursor.offset();
  const std::size_t size = gguf_type_bytes(array.element);
  const std::size_t least = size > 0 ? size : (array.element == GgufType::string ? 8 : 12);
  if (array.count > cursor.remaining() / least) {
    cursor.refuse(cat("an array of ", array.count, " values goes beyond the end of the file"));
  }
  if (size > 0) {
    array.bytes = cursor.take(array.count * size, "an array");
    return array;
  }
  for (std::uint64_t i = 0; i < array.count; ++i) {
    if (array.element == GgufType::string) {
      cursor.string("a string");
    } else {
      read_array(cursor, file, depth + 1);
    }
  }
  array.bytes = file.subspan(begin, cursor.offset() - begin);
  return array;
}

GgufValue read_value(ByteCursor& cursor, std::span<const std::byte> file) {
  const GgufType type = read_type(cursor);
  if (type == GgufType::string) return {type, cursor.string("a string")};
  if (type == GgufType::array) return {type, read_array(cursor, file, 1)};
  const auto bytes = cursor.take(gguf_type_bytes(type), "a value");
  if (type == GgufType::boolean && std::to_integer<unsigned>(bytes[0]) > 1) {
    cursor.refuse(cat("the truth value is ", std::to_integer<unsigned>(bytes[0]),
                      ", and only 0 and 1 are any"));
  }
  return gguf_scalar(type, bytes.data());
}

std::vector<GgufEntry> read_metadata(ByteCursor& cursor, std::uint64_t n_keys,
                                     std::span<const std::byte> file) {
  std::vector<GgufEntry> entries;
  std::unordered_set<std::string_view> seen;
  for (std::uint64_t i = 0; i < n_keys; ++i) {
    cursor.set_place({});
    const std::string_view key = cursor.string("a metadata key");
    if (key.empty()) cursor.refuse("a metadata key is empty");
    if (key.size() > 65535) cursor.refuse(cat("a metadata key's length is ", key.size(), " bytes"));
    if (invalid_utf8_offset(key)) cursor.refuse("a metadata key is not valid UTF-8");
    cursor.set_place(std::string(key));
    if (!seen.insert(key).second) {
      cursor.refuse("the key is there twice",
                    "convert the model again: which value holds is unknown");
    }
    entries.push_back({std::string(key), read_value(cursor, file)});
  }
  cursor.set_place({});
  return entries;
}

std::uint64_t alignment_of(const GgufMetadata& metadata) {
  const auto alignment = static_cast<std::uint64_t>(
      metadata.count_or("general.alignment", std::int64_t{kDefaultAlignment}));
  // The format asks for a multiple of 8, the program that writes most files for a power of two.
  if (alignment == 0 || (alignment % 8 != 0 && !std::has_single_bit(alignment))) {
    metadata.refuse("general.alignment", cat("alignment ", alignment, " is no multiple of 8"));
  }
  return alignment;
}

}  // namespace

GgufContents parse_gguf(std::span<const std::byte> bytes, const std::string& file) {
  if (kind_of_file(bytes) != FileKind::gguf) refuse_as_model(bytes, file);
  ByteCursor cursor(bytes, file);
  const std::uint32_t version = read_version(cursor);
  const auto n_tensors = cursor.number<std::uint64_t>("the tensor count");
  const auto n_keys = cursor.number<std::uint64_t>("the metadata key count");
  check_count(cursor, n_tensors, "tensor", kMinTensorBytes);
  check_count(cursor, n_keys, "metadata key", kMinEntryBytes);
  GgufMetadata metadata(file, read_metadata(cursor, n_keys, bytes));
  check_count(cursor, n_tensors, "tensor", kMinTensorBytes);
  const std::uint64_t alignment = alignment_of(metadata);
  std::vector<GgufTensor> tensors = read_tensor_table(cursor, n_tensors, alignment, bytes);
  return {version, alignment, std::move(metadata), std::move(tensors)};
}

}  // namespace qaq
