#include "tests/gpu_check/npy.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>
#include <fstream>
#include <iterator>

#include "core/base/error.h"

namespace qaq::gpu_check {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr char kMagic[] = "\x93NUMPY";
constexpr std::size_t kMagicBytes = 6;
constexpr std::int64_t kMaxItems = std::int64_t{1} << 40;

// What stands behind 'KEY': in the header's dict; empty where it is missing.
std::string value_of(const std::string& header, const std::string& key) {
  const std::size_t at = header.find("'" + key + "':");
  if (at == std::string::npos) return "";
  std::size_t begin = at + key.size() + 3;
  while (begin < header.size() && header[begin] == ' ') ++begin;
  const std::size_t end = header.find(header[begin] == '(' ? ")" : ",", begin);
  return header.substr(begin, end == std::string::npos ? end : end - begin);
}

}  // namespace

NpyArray::NpyArray(const std::string& path) : path_(path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse("cannot be opened");
  bytes_.assign(std::istreambuf_iterator<char>(in), {});
  // Magic, version, length of the header (two bytes in version 1, else four).
  if (bytes_.size() < 12 || bytes_.compare(0, kMagicBytes, kMagic) != 0) refuse("no .npy file");
  const int version = static_cast<unsigned char>(bytes_[kMagicBytes]);
  if (version < 1 || version > 3) refuse("unknown version of the format");
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes_.data() + kMagicBytes + 2, length_bytes);
  const std::size_t begin = kMagicBytes + 2 + length_bytes;
  if (header_bytes > bytes_.size() - begin) refuse("ends within its header");
  parse_header(bytes_.substr(begin, header_bytes));
  bytes_.erase(0, begin + header_bytes);

  std::int64_t n = 1;
  for (const std::int64_t extent : shape_) {
    if (extent > 0 && n > kMaxItems / extent) refuse("shape is too large");
    n *= extent;
  }
  if (bytes_.size() != static_cast<std::size_t>(n) * item_bytes()) {
    refuse("holds other than its shape's bytes");
  }
}

void NpyArray::parse_header(const std::string& header) {
  const std::string type = value_of(header, "descr");
  if (type == "'<f4'") {
    type_ = Type::f4;
  } else if (type == "'<f8'") {
    type_ = Type::f8;
  } else if (type == "'<i4'") {
    type_ = Type::i4;
  } else if (type == "'<i8'") {
    type_ = Type::i8;
  } else {
    refuse("numbers are " + (type.empty() ? "of no type" : type) + ", not <f4, <f8, <i4 or <i8");
  }
  if (value_of(header, "fortran_order") != "False") refuse("is not in C order");
  const std::string shape = value_of(header, "shape");
  if (shape.empty() || shape[0] != '(') refuse("has no shape");
  std::int64_t extent = -1;
  for (const char c : shape.substr(1) + ",") {
    if (std::isdigit(static_cast<unsigned char>(c))) {
      extent = 10 * std::max<std::int64_t>(extent, 0) + (c - '0');
      if (extent > kMaxItems) refuse("shape is too large");
    } else if (c == ',') {
      if (extent >= 0) shape_.push_back(extent);
      extent = -1;
    } else if (c != ' ') {
      refuse("has no shape of whole numbers");
    }
  }
}

void NpyArray::refuse(const std::string& what) const {
  refuse_input(
      {.file = path_, .what = what, .cure = "make it anew with tests/gpu_check/oracle.py"});
}

template <class Item, class To>
std::vector<To> NpyArray::converted() const {
  std::vector<To> out(bytes_.size() / sizeof(Item));
  for (std::size_t i = 0; i < out.size(); ++i) {
    Item item;
    std::memcpy(&item, bytes_.data() + i * sizeof item, sizeof item);
    out[i] = static_cast<To>(item);
  }
  return out;
}

std::vector<float> NpyArray::floats() const {
  if (type_ == Type::f4) return converted<float, float>();
  if (type_ == Type::f8) return converted<double, float>();
  refuse("holds whole numbers where fractions are wanted");
}

std::vector<std::int64_t> NpyArray::integers() const {
  if (type_ == Type::i4) return converted<std::int32_t, std::int64_t>();
  if (type_ == Type::i8) return converted<std::int64_t, std::int64_t>();
  refuse("holds fractions where whole numbers are wanted");
}

}  // namespace qaq::gpu_check
