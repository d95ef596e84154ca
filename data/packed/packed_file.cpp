#include "data/packed/packed_file.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "core/quant/packed_index.h"
#include "data/files/whole_file.h"
#include "data/models/byte_cursor.h"
#include "data/models/json_object.h"
#include "data/models/mapped_file.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kMagic("\x89QKV\r\n\x1a\n");
constexpr std::uint32_t kVersion = 1;
constexpr const char* kCure = "pack the capture again (qaq replay --save-packed)";

std::span<const std::byte> bytes_of_part(const std::vector<std::uint8_t>& part) {
  return std::as_bytes(std::span(part));
}

std::string hash_of(const PackedCaches& caches) {
  Sha256 hash;
  for (const PackedCache* cache : {&caches.key, &caches.value}) {
    for (const auto& part : cache->parts) hash.update(bytes_of_part(part));
  }
  return hash.finish();
}

void append_u32(std::string& to, std::size_t value) {
  for (int shift = 0; shift < 32; shift += 8) to += static_cast<char>(value >> shift & 0xff);
}

std::string header_text(const PackedFile& file) {
  Json json = packed_header_json(file.caches);
  json["sha256"] = hash_of(file.caches);
  json["about"] = file.about;
  // Command lines may hold any bytes.
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string header(kMagic);
  append_u32(header, kVersion);
  append_u32(header, text.size());
  return header + text;
}

// Printing goes as deep as the text: what is said of the file is flat but for an object or two.
bool is_shallow(const Json& json, int most) {
  if (!json.is_structured()) return true;
  return most > 0 && std::ranges::all_of(
                         json, [&](const Json& member) { return is_shallow(member, most - 1); });
}

struct OpenedFile {
  PackedFile file;
  std::string sha256;
  std::int64_t header_bytes = 0;
};

Json read_header(ByteCursor& cursor, const std::string& path) {
  const auto magic = cursor.take(kMagic.size(), "the signature");
  if (!std::ranges::equal(magic, std::as_bytes(std::span(kMagic)))) {
    refuse_input({.file = path, .place = "byte 0", .what = "is no .qkv file", .cure = kCure});
  }
  const auto version = cursor.number<std::uint32_t>("the version");
  if (version != kVersion) {
    refuse_input({.file = path,
                  .place = "byte 8",
                  .what = cat("version ", version, " is unknown"),
                  .cure = "use a newer program, or pack the capture again"});
  }
  const auto length = cursor.number<std::uint32_t>("the header's length");
  const auto text = cursor.take(length, "the header");
  return parse_json({reinterpret_cast<const char*>(text.data()), text.size()}, path, "the header");
}

// Takes the components in their order; the header has told their sizes.
void take_parts(DescribedCache& described, const char* name, ByteCursor& cursor, Sha256& hash) {
  for (std::size_t i = 0; i < kPackedParts; ++i) {
    cursor.set_place(cat(name, "/", kPackedPartNames[i]));
    const auto bytes = cursor.take(described.sizes[i], "the component");
    hash.update(bytes);
    const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
    described.cache.parts[i].assign(first, first + bytes.size());
  }
}

OpenedFile open_packed(const std::string& path) {
  const MappedFile mapped(path);
  ByteCursor cursor(mapped.bytes(), path);
  const Json header = read_header(cursor, path);
  OpenedFile out;
  out.header_bytes = static_cast<std::int64_t>(cursor.offset());
  DescribedCaches described = described_caches(header, path);
  Sha256 hash;
  take_parts(described.key, "key", cursor, hash);
  take_parts(described.value, "value", cursor, hash);
  cursor.set_place("");
  if (cursor.remaining() > 0) cursor.refuse(cat(cursor.remaining(), " bytes too many"), kCure);
  out.sha256 = hash.finish();
  if (!header.contains("sha256") || header["sha256"] != out.sha256) {
    refuse_input({.file = path,
                  .place = "the header, sha256",
                  .what = "is not that of the components",
                  .cure = kCure});
  }
  const Json& about = header.contains("about") ? header["about"] : Json();
  if (!about.is_object() || !is_shallow(about, 4)) {
    refuse_input(
        {.file = path, .place = "the header, about", .what = "is no plain object", .cure = kCure});
  }
  out.file = {{std::move(described.key.cache), std::move(described.value.cache)}, about};
  return out;
}

PackedIndex checked(const PackedCache& cache, const char* name, const std::string& path) {
  try {
    return PackedIndex(cache);
  } catch (const Error& error) {
    ErrorText text = error.text();
    text.place = cat(name, "/", text.place);
    throw Error(error.kind(), std::move(text)).with_file(path);
  }
}

double mean_bits(const PackedCache& cache, const PackedIndex& index) {
  if (cache.keeps_all()) return static_cast<double>(8 * cache.format.value_bytes());
  double sum = 0;
  for (const std::uint8_t n_bits : index.n_bits()) sum += n_bits;
  return sum / static_cast<double>(index.n_bits().size());
}

void add_content(const PackedCache& cache, const PackedIndex& index, Json& json) {
  json["mean_bits"] = mean_bits(cache, index);
  json["n_outliers"] = index.n_outliers();
  json["bytes"] = cache.bytes().total();
}

}  // namespace

bool is_packed_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, kMagic.size()> magic{};
  file.read(magic.data(), magic.size());
  return file && std::string_view(magic.data(), magic.size()) == kMagic;
}

std::int64_t write_packed_file(const std::string& path, const PackedFile& file) {
  const std::string header = header_text(file);
  write_whole(path, [&](std::ostream& out) {
    out << header;
    for (const PackedCache* cache : {&file.caches.key, &file.caches.value}) {
      for (const auto& part : cache->parts) {
        out.write(reinterpret_cast<const char*>(part.data()),
                  static_cast<std::streamsize>(part.size()));
      }
    }
  });
  return static_cast<std::int64_t>(header.size()) + file.caches.key.bytes().total() +
         file.caches.value.bytes().total();
}

PackedFile read_packed_file(const std::string& path) {
  OpenedFile opened = open_packed(path);
  checked(opened.file.caches.key, "key", path);
  checked(opened.file.caches.value, "value", path);
  return std::move(opened.file);
}

Json packed_summary(const std::string& path) {
  const OpenedFile opened = open_packed(path);
  const PackedCaches& caches = opened.file.caches;
  Json out{{"format", "qaq-packed"}, {"format_version", kVersion}};
  out.update(packed_header_json(caches));
  add_content(caches.key, checked(caches.key, "key", path), out["caches"]["key"]);
  add_content(caches.value, checked(caches.value, "value", path), out["caches"]["value"]);
  const std::int64_t components = caches.key.bytes().total() + caches.value.bytes().total();
  out["ratio_packed"] =
      4 * static_cast<double>(caches.key.shape.n_values()) / static_cast<double>(components);
  out["header_bytes"] = opened.header_bytes;
  out["bytes"] = opened.header_bytes + components;
  out["sha256"] = opened.sha256;
  out["about"] = opened.file.about;
  return out;
}

}  // namespace qaq
