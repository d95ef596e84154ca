#include "data/models/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/json_object.h"

namespace qaq {
namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::int64_t kMaxBits = std::numeric_limits<std::int64_t>::max() / 2;

struct Dtype {
  std::string_view name;
  std::int64_t bits;
  std::optional<WeightType> type{};
};

// Sizes of types that cannot be run are known too, so that their files can be checked and listed.
constexpr std::array<Dtype, 20> kDtypes{{
    {"F32", 32, WeightType::f32},
    {"F16", 16, WeightType::f16},
    {"BF16", 16, WeightType::bf16},
    {"F64", 64},
    {"C64", 64},
    {"I64", 64},
    {"I32", 32},
    {"I16", 16},
    {"I8", 8},
    {"U64", 64},
    {"U32", 32},
    {"U16", 16},
    {"U8", 8},
    {"BOOL", 8},
    {"F8_E4M3", 8},
    {"F8_E5M2", 8},
    {"F8_E8M0", 8},
    {"F6_E2M3", 6},
    {"F6_E3M2", 6},
    {"F4", 4},
}};

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

class HeaderReader {
 public:
  HeaderReader(std::span<const std::byte> bytes, const std::string& file)
      : bytes_(bytes), file_(file) {}

  SafetensorsContents read() {
    const std::string_view header = read_header();
    const ordered_json json = parse_json(header, file_, "the header");
    if (!json.is_object()) refuse("the header", "is no JSON object");
    data_ = bytes_.subspan(8 + header.size());
    SafetensorsContents out;
    std::vector<Range> ranges;
    for (const auto& [name, entry] : json.items()) {
      if (name == "__metadata__") {
        read_metadata(entry, out);
      } else {
        out.tensors.push_back(read_tensor(name, entry, ranges));
      }
    }
    check_cover(out.tensors, ranges);
    return out;
  }

 private:
  [[noreturn]] void refuse(const std::string& place, const std::string& what) const {
    refuse_input({.file = file_,
                  .place = place,
                  .what = what,
                  .cure = "the file is truncated or damaged; get it again"});
  }

  std::string_view read_header() const {
    std::uint64_t length = 0;
    if (bytes_.size() < sizeof length) {
      refuse("byte 0", "the file is too short for the length of a header");
    }
    std::memcpy(&length, bytes_.data(), sizeof length);
    if (length > kMaxHeaderBytes || length > bytes_.size() - sizeof length) {
      refuse("byte 0", cat("the header's length of ", length, " bytes goes beyond the file (",
                           bytes_.size() - sizeof length, " bytes remain, ", kMaxHeaderBytes,
                           " are the most)"));
    }
    return {reinterpret_cast<const char*>(bytes_.data()) + sizeof length,
            static_cast<std::size_t>(length)};
  }

  void read_metadata(const ordered_json& entry, SafetensorsContents& out) const {
    if (!entry.is_object()) refuse("__metadata__", "is no JSON object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) refuse(cat("__metadata__.", key), "is no string");
      out.metadata.emplace_back(key, value.get<std::string>());
    }
  }

  const Dtype& read_dtype(const std::string& name, const ordered_json& entry) const {
    const auto at = entry.find("dtype");
    if (at == entry.end() || !at->is_string()) refuse(name, "dtype is missing or no string");
    const auto text = at->get<std::string>();
    const auto dtype = std::ranges::find(kDtypes, text, &Dtype::name);
    if (dtype == kDtypes.end()) refuse(name, cat("dtype '", text, "' is unknown"));
    return *dtype;
  }

  // A list of whole numbers from 0 on.
  std::vector<std::int64_t> read_counts(const std::string& name, const ordered_json& entry,
                                        const char* key) const {
    const auto at = entry.find(key);
    if (at == entry.end() || !at->is_array()) refuse(name, cat(key, " is missing or no list"));
    std::vector<std::int64_t> out;
    for (const ordered_json& each : *at) {
      if (!each.is_number_unsigned() ||
          each.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
        refuse(name, cat(key, " holds ", each.dump(), ", which is no count"));
      }
      out.push_back(each.get<std::int64_t>());
    }
    return out;
  }

  StoredTensor read_tensor(const std::string& name, const ordered_json& entry,
                           std::vector<Range>& ranges) const {
    if (!entry.is_object()) refuse(name, "is no JSON object");
    const Dtype& dtype = read_dtype(name, entry);
    StoredTensor tensor{.name = name,
                        .file = file_,
                        .type_name = dtype.name,
                        .type = dtype.type,
                        .shape = read_counts(name, entry, "shape"),
                        .bytes = {}};
    const auto offsets = read_counts(name, entry, "data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1]) {
      refuse(name, "data_offsets are no begin and end: the offsets are reversed or not two");
    }
    if (static_cast<std::uint64_t>(offsets[1]) > data_.size()) {
      refuse(name, cat("its data end at offset ", offsets[1], ", beyond the end of the file (",
                       data_.size(), " bytes of data)"));
    }
    const std::int64_t n_bytes = offsets[1] - offsets[0];
    if (n_bytes != bytes_needed(name, dtype, tensor.shape)) {
      refuse(name, cat("its ", n_bytes, " bytes do not fit the shape and dtype ", dtype.name));
    }
    tensor.bytes =
        data_.subspan(static_cast<std::size_t>(offsets[0]), static_cast<std::size_t>(n_bytes));
    ranges.push_back(
        {static_cast<std::uint64_t>(offsets[0]), static_cast<std::uint64_t>(offsets[1])});
    return tensor;
  }

  std::int64_t bytes_needed(const std::string& name, const Dtype& dtype,
                            const std::vector<std::int64_t>& shape) const {
    if (std::ranges::find(shape, 0) != shape.end()) return 0;
    std::int64_t bits = dtype.bits;
    for (const std::int64_t extent : shape) {
      if (extent > kMaxBits / bits) refuse(name, "the shape is too large: its size overflows");
      bits *= extent;
    }
    if (bits % 8 != 0) refuse(name, "the shape takes no whole number of bytes");
    return bits / 8;
  }

  void check_cover(const std::vector<StoredTensor>& tensors,
                   const std::vector<Range>& ranges) const {
    std::vector<std::size_t> order(tensors.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, {},
                      [&](std::size_t i) { return std::pair(ranges[i].begin, ranges[i].end); });
    std::uint64_t covered = 0;
    for (const std::size_t i : order) {
      if (ranges[i].begin < covered) {
        refuse(tensors[i].name, "its data overlap those of another tensor (data_offsets)");
      }
      if (ranges[i].begin > covered) {
        refuse(tensors[i].name,
               cat("no tensor covers the ", ranges[i].begin - covered, " bytes before its data"));
      }
      covered = ranges[i].end;
    }
    if (covered != data_.size()) {
      refuse(cat("byte ", bytes_.size() - data_.size() + covered),
             cat(data_.size() - covered, " trailing bytes, which no tensor covers"));
    }
  }

  std::span<const std::byte> bytes_;
  std::span<const std::byte> data_;
  const std::string& file_;
};

}  // namespace

SafetensorsContents parse_safetensors(std::span<const std::byte> bytes, const std::string& file) {
  return HeaderReader(bytes, file).read();
}

}  // namespace qaq
