#include "data/models/gguf_metadata.h"

#include <cmath>
#include <limits>
#include <optional>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/byte_cursor.h"

namespace qaq {
namespace {

// A signed or unsigned whole number as i64; nothing where the value is another thing or too large.
std::optional<std::int64_t> as_integer(const GgufValue& value) {
  if (const auto* i = std::get_if<std::int64_t>(&value.data)) return *i;
  const auto* u = std::get_if<std::uint64_t>(&value.data);
  if (!u || *u > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return std::nullopt;
  return static_cast<std::int64_t>(*u);
}

bool is_integer(const GgufValue& value) {
  return std::holds_alternative<std::int64_t>(value.data) ||
         std::holds_alternative<std::uint64_t>(value.data);
}

}  // namespace

GgufMetadata::GgufMetadata(std::string file, std::vector<GgufEntry> entries)
    : file_(std::move(file)), entries_(std::move(entries)) {
  for (std::size_t i = 0; i < entries_.size(); ++i) index_.emplace(entries_[i].key, i);
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto at = index_.find(key);
  return at == index_.end() ? nullptr : &entries_[at->second].value;
}

std::int64_t GgufMetadata::count(std::string_view key) const {
  const GgufValue& value = need(key);
  if (!is_integer(value)) refuse_type(key, "a whole number");
  const auto integer = as_integer(value);
  if (!integer || *integer < 0) refuse(key, cat(display_text(value), " is out of range"));
  return *integer;
}

std::int64_t GgufMetadata::count_or(std::string_view key, std::int64_t fallback) const {
  return contains(key) ? count(key) : fallback;
}

double GgufMetadata::real(std::string_view key) const {
  const GgufValue& value = need(key);
  double number = 0;
  if (const auto* real = std::get_if<double>(&value.data)) {
    number = *real;
  } else if (is_integer(value)) {
    number = std::visit(
        [](const auto& held) {
          if constexpr (std::is_arithmetic_v<std::decay_t<decltype(held)>>) {
            return static_cast<double>(held);
          } else {
            return 0.0;
          }
        },
        value.data);
  } else {
    refuse_type(key, "a number");
  }
  if (!std::isfinite(number)) refuse(key, cat(display_text(value), " is not finite"));
  return number;
}

double GgufMetadata::real_or(std::string_view key, double fallback) const {
  return contains(key) ? real(key) : fallback;
}

bool GgufMetadata::flag_or(std::string_view key, bool fallback) const {
  const GgufValue* value = find(key);
  if (!value) return fallback;
  const auto* flag = std::get_if<bool>(&value->data);
  if (!flag) refuse_type(key, "a truth value");
  return *flag;
}

std::string GgufMetadata::text(std::string_view key) const {
  const auto* text = std::get_if<std::string_view>(&need(key).data);
  if (!text) refuse_type(key, "a string");
  if (invalid_utf8_offset(*text)) refuse(key, "is not valid UTF-8");
  return std::string(*text);
}

std::string GgufMetadata::text_or(std::string_view key, std::string_view fallback) const {
  return contains(key) ? text(key) : std::string(fallback);
}

std::vector<std::string_view> GgufMetadata::texts(std::string_view key) const {
  const GgufArray& array = need_array(key);
  // An empty array may have been written with any element type.
  if (array.count > 0 && array.element != GgufType::string) refuse_type(key, "an array of strings");
  std::vector<std::string_view> out;
  out.reserve(static_cast<std::size_t>(array.count));
  ByteCursor cursor(array.bytes, file_);
  for (std::uint64_t i = 0; i < array.count; ++i) out.push_back(cursor.string("a string"));
  return out;
}

std::vector<std::int64_t> GgufMetadata::integers(std::string_view key) const {
  const GgufArray& array = need_array(key);
  const std::size_t size = gguf_type_bytes(array.element);
  std::vector<std::int64_t> out;
  out.reserve(static_cast<std::size_t>(array.count));
  for (std::size_t i = 0; i < array.count; ++i) {
    if (size == 0) refuse_type(key, "an array of whole numbers");
    const GgufValue value = gguf_scalar(array.element, array.bytes.data() + i * size);
    const auto integer = as_integer(value);
    if (!is_integer(value)) refuse_type(key, "an array of whole numbers");
    if (!integer) refuse(key, cat(display_text(value), " is out of range"));
    out.push_back(*integer);
  }
  return out;
}

void GgufMetadata::refuse(std::string_view key, const std::string& what,
                          const std::string& cure) const {
  refuse_input({.file = file_,
                .place = std::string(key),
                .what = what,
                .cure = cure.empty() ? "convert the model again or get another file" : cure});
}

const GgufValue& GgufMetadata::need(std::string_view key) const {
  const GgufValue* value = find(key);
  if (!value) refuse(key, "the key is missing");
  return *value;
}

const GgufArray& GgufMetadata::need_array(std::string_view key) const {
  const auto* array = std::get_if<GgufArray>(&need(key).data);
  if (!array) refuse_type(key, "an array");
  return *array;
}

void GgufMetadata::refuse_type(std::string_view key, std::string_view wanted) const {
  const GgufValue& value = need(key);
  const auto* array = std::get_if<GgufArray>(&value.data);
  const std::string kind = array ? cat("array of ", *gguf_type_name(array->element))
                                 : std::string(*gguf_type_name(value.type));
  refuse(key, cat("the value has type ", kind, ", and ", wanted, " is needed"));
}

}  // namespace qaq
