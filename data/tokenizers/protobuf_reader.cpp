#include "data/tokenizers/protobuf_reader.h"

#include <bit>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

// Wire types; the deprecated groups (3, 4) are in no file that is read here.
enum WireType : std::uint64_t { kVarint = 0, kEightBytes = 1, kLength = 2, kFourBytes = 5 };

}  // namespace

std::optional<ProtobufReader::Field> ProtobufReader::next() {
  if (rest_.empty()) return std::nullopt;
  const std::uint64_t tag = varint();
  if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff) refuse("is no protocol buffer");
  Field field;
  field.number = static_cast<std::uint32_t>(tag >> 3);
  switch (tag & 7) {
    case kVarint:
      field.integer_ = varint();
      break;
    case kEightBytes:
      take(8);
      break;
    case kLength:
      field.bytes_ = take(varint());
      break;
    case kFourBytes: {
      std::uint32_t bits = 0;
      const std::string_view bytes = take(4);
      for (int i = 3; i >= 0; --i) bits = bits << 8 | static_cast<unsigned char>(bytes[i]);
      field.real_ = std::bit_cast<float>(bits);
      break;
    }
    default:
      refuse("is no protocol buffer");
  }
  return field;
}

ProtobufReader ProtobufReader::inside(const Field& field) const {
  ProtobufReader reader(field.bytes_, file_);
  reader.offset_ = offset_ - field.bytes_.size();
  return reader;
}

std::uint64_t ProtobufReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  refuse("is no protocol buffer");
}

std::string_view ProtobufReader::take(std::uint64_t n) {
  if (n > rest_.size()) refuse("the file is cut off or damaged");
  const std::string_view bytes = rest_.substr(0, static_cast<std::size_t>(n));
  rest_.remove_prefix(bytes.size());
  offset_ += bytes.size();
  return bytes;
}

void ProtobufReader::refuse(const std::string& what, const std::string& cure) const {
  refuse_input({.file = file_,
                .place = cat("byte ", offset_),
                .what = what,
                .cure = cure.empty() ? "download the model's files again" : cure});
}

}  // namespace qaq
