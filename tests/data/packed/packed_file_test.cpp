// .qkv files: what is written is read back, byte by byte as its README says, and whatever damage a
// file has, it is refused with its place or read without harm.
#include "data/packed/packed_file.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <random>

#include "core/base/sha256.h"
#include "core/base/text.h"
#include "core/quant/packer.h"
#include "core/quant/unpacker.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;
using test::refusal;
using test::TemporaryFolder;

PackedCache random_cache(QuantizerSpec spec, bool vary, unsigned seed) {
  std::mt19937 random(seed);
  const CacheShape shape{2, 3, 5, 16};
  NdArray<float, 4> numbers({2, 3, 5, 16});
  for (float& x : numbers.span()) x = static_cast<float>(static_cast<int>(random() % 256) - 100);
  Plan plan;
  plan.quantizer = spec;
  plan.layout = UnitLayout(spec.level, shape);
  std::vector<UnitStats> stats;
  std::vector<CacheLayer> layers{numbers.view().sub(0), numbers.view().sub(1)};
  if (!plan.keeps_all()) {
    stats.resize(static_cast<std::size_t>(plan.layout.n_units()));
    fill_unit_stats(plan.layout, spec, 0, layers, stats);
    plan.n_bits_vary = vary;
    for (std::size_t i = 0; i < stats.size(); ++i) {
      plan.n_bits.push_back(static_cast<std::uint8_t>(vary ? random() % 6 : 3));
    }
  }
  Packer packer(plan, stats, packed_format(spec, DType::f16));
  packer.add_layer(0, layers[0]);
  packer.add_layer(1, layers[1]);
  return packer.finish();
}

PackedFile example() {
  return {{random_cache({.level = Level::head, .outliers_ratio = 0.1}, true, 1),
           random_cache({.level = Level::layer, .symmetric = true}, false, 2)},
          {{"policy", "qaq"}, {"provenance", {{"program", "qaq"}}}}};
}

// A file taken apart: magic, version, JSON text, components.
struct Parts {
  std::string magic;
  std::uint32_t version = 0;
  Json header;
  std::string components;

  explicit Parts(const std::string& bytes) : magic(bytes.substr(0, 8)) {
    version = number(bytes, 8);
    const std::uint32_t length = number(bytes, 12);
    header = Json::parse(bytes.substr(16, length));
    components = bytes.substr(16 + length);
  }
  static std::uint32_t number(const std::string& bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
    }
    return value;
  }
  // Where a component begins in `components`.
  std::size_t begin_of(const std::string& cache, const std::string& component) const {
    std::size_t at = 0;
    for (const char* name : {"key", "value"}) {
      for (const auto& [part, size] : header["caches"][name]["components"].items()) {
        if (name == cache && part == component) return at;
        at += size.get<std::size_t>();
      }
    }
    throw std::logic_error("no component " + component);
  }
  std::string bytes(bool right_hash = true) const {
    Json json = header;
    if (right_hash) json["sha256"] = sha256_hex(components);
    const std::string text = json.dump();
    std::string out = magic;
    for (const std::size_t value : {std::size_t{version}, text.size()}) {
      for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift);
    }
    return out + text + components;
  }
};

class PackedFileTest : public testing::Test {
 protected:
  std::string path() const { return folder_.file("a.qkv"); }
  std::string write_example() const {
    write_packed_file(path(), example());
    return test::bytes_of_file(path());
  }
  void put(const std::string& bytes) const { std::ofstream(path(), std::ios::binary) << bytes; }
  std::string refusal_of(const std::string& bytes) const {
    put(bytes);
    return refusal([&] { read_packed_file(path()); });
  }
  // The refusal of the example with something wrong in it and the right hash.
  std::string refusal_with(const std::function<void(Parts&)>& damage) const {
    Parts parts(write_example());
    damage(parts);
    return refusal_of(parts.bytes());
  }

  TemporaryFolder folder_;
};

#define EXPECT_SAYS(line, word) EXPECT_NE((line).find(word), std::string::npos) << (line)

TEST_F(PackedFileTest, WhatIsWrittenIsReadBack) {
  const PackedFile written = example();
  const std::int64_t n_bytes = write_packed_file(path(), written);
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"a.qkv"});
  EXPECT_TRUE(is_packed_file(path()));
  EXPECT_EQ(n_bytes, static_cast<std::int64_t>(std::filesystem::file_size(path())));
  const PackedFile read = read_packed_file(path());
  EXPECT_EQ(read.about, written.about);
  EXPECT_EQ(read.caches.key.parts, written.caches.key.parts);
  EXPECT_EQ(read.caches.value.parts, written.caches.value.parts);
  EXPECT_TRUE(read.caches.key.n_bits_vary);
  EXPECT_FALSE(read.caches.value.n_bits_vary);
  EXPECT_EQ(read.caches.value.n_bits, 3);
  EXPECT_TRUE(read.caches.value.quantizer.symmetric);
  NdArray<float, 3> before({3, 5, 16}), after({3, 5, 16}, 1.0f);
  Unpacker(written.caches.key).layer(1, {before.view(), {}});
  Unpacker(read.caches.key).layer(1, {after.view(), {}});
  EXPECT_TRUE(std::ranges::equal(before.span(), after.span()));
}

TEST_F(PackedFileTest, IsLaidOutAsItsReadmeSays) {
  const Parts parts(write_example());
  EXPECT_EQ(parts.magic, "\x89QKV\r\n\x1a\n");
  EXPECT_EQ(parts.version, 1u);
  EXPECT_EQ(parts.header["shape"],
            (Json{{"n_layers", 2}, {"n_kv_heads", 3}, {"n_tokens", 5}, {"head_dim", 16}}));
  EXPECT_EQ(parts.header["dtype"], "f16");
  EXPECT_TRUE(parts.header["caches"]["key"]["n_bits"].is_null());
  EXPECT_EQ(parts.header["caches"]["value"]["components"]["payload"], 10 * 48 * 3 / 8);
  EXPECT_EQ(parts.header["caches"]["value"]["components"]["scales"], 10 * 4);
  EXPECT_EQ(parts.header["sha256"], sha256_hex(parts.components));
  std::string components;
  const PackedFile written = example();
  for (const PackedCache* cache : {&written.caches.key, &written.caches.value}) {
    for (const auto& part : cache->parts) components.append(part.begin(), part.end());
  }
  EXPECT_EQ(parts.components, components);
}

TEST_F(PackedFileTest, TheSummaryAddsUpToTheFile) {
  const std::string bytes = write_example();
  const Json summary = packed_summary(path());
  std::int64_t sum = summary["header_bytes"];
  for (const char* name : {"key", "value"}) {
    std::int64_t own = 0;
    for (const auto& [part, size] : summary["caches"][name]["components"].items()) {
      own += size.get<std::int64_t>();
    }
    EXPECT_EQ(summary["caches"][name]["bytes"], own);
    sum += own;
  }
  EXPECT_EQ(sum, static_cast<std::int64_t>(bytes.size()));
  EXPECT_EQ(summary["bytes"], sum);
  EXPECT_EQ(summary["caches"]["value"]["mean_bits"], 3.0);
  EXPECT_EQ(summary["caches"]["value"]["n_outliers"], 0);
  EXPECT_EQ(summary["caches"]["key"]["n_outliers"].get<int>() * 2,
            summary["caches"]["key"]["components"]["outlier_values"].get<int>());
  EXPECT_DOUBLE_EQ(summary["ratio_packed"],
                   4.0 * 480 / static_cast<double>(sum - summary["header_bytes"].get<int>()));
}

TEST_F(PackedFileTest, AnExactCacheIsAFileToo) {
  const PackedFile file{{random_cache({.level = Level::no_quantization}, false, 1),
                         random_cache({.level = Level::token}, true, 2)},
                        Json::object()};
  write_packed_file(path(), file);
  EXPECT_EQ(read_packed_file(path()).caches.key.parts, file.caches.key.parts);
  EXPECT_EQ(packed_summary(path())["caches"]["key"]["mean_bits"], 16.0);
}

TEST_F(PackedFileTest, OtherFilesAndVersionsAreRefused) {
  EXPECT_SAYS(refusal([&] { read_packed_file(folder_.file("none.qkv")); }), "none.qkv");
  EXPECT_SAYS(refusal_of(""), "a.qkv");
  EXPECT_SAYS(refusal_of("{\"format\": \"other\"}"), "no .qkv file");
  EXPECT_SAYS(refusal_with([](Parts& p) { p.version = 2; }), "byte 8: version 2");
  EXPECT_SAYS(refusal_with([](Parts& p) { p.header["shape"] = 3; }), "is no object");
  EXPECT_FALSE(is_packed_file(folder_.file("none.qkv")));
}

TEST_F(PackedFileTest, ATruncatedFileIsRefusedWhereverItEnds) {
  const std::string good = write_example();
  for (std::size_t size = 0; size < good.size(); size += 13) {
    EXPECT_NE(refusal_of(good.substr(0, size)), "taken") << size;
  }
  EXPECT_SAYS(refusal_of(good + "x"), "1 bytes too many");
  EXPECT_EQ(refusal_of(good), "taken");
}

TEST_F(PackedFileTest, AWrongHashIsRefused) {
  std::string bytes = write_example();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  EXPECT_SAYS(refusal_of(bytes), "sha256");
  EXPECT_SAYS(refusal_with([](Parts& p) { p.components.back() ^= 1; }), "taken");
  Parts parts(write_example());
  parts.header.erase("sha256");
  EXPECT_SAYS(refusal_of(parts.bytes(false)), "sha256");
}

TEST_F(PackedFileTest, HeadersAreRefusedByPlace) {
  struct Case {
    const char* pointer;
    Json value;
    const char* place;
  };
  const std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();
  const std::vector<Case> cases{
      {"/shape/n_tokens", 0, "shape/n_tokens"},
      {"/shape/n_tokens", -5, "shape/n_tokens"},
      {"/shape/n_tokens", 2.5, "shape/n_tokens"},
      {"/shape/n_tokens", huge, "shape/n_tokens"},
      {"/shape/n_tokens", std::uint64_t{1} << 47, "shape"},
      {"/shape/n_tokens", 6, "key/outlier_counts"},
      {"/shape/head_dim", 17, "key/"},
      {"/dtype", "f64", "dtype"},
      {"/dtype", "f32", "key/outlier_values"},
      {"/caches/key/level", "no-quantization", "key/outlier_counts"},
      {"/caches/key/level", "row", "caches/key/level"},
      {"/caches/key/level", 3, "caches/key/level"},
      {"/caches/key/outliers_ratio", 1.5, "caches/key/outliers_ratio"},
      {"/caches/key/outliers_ratio", 0, "key/outlier_counts"},
      {"/caches/key/symmetric", 1, "caches/key/symmetric"},
      {"/caches/key/symmetric", true, "key/scales"},
      {"/caches/key/scale_bytes", 3, "caches/key/scale_bytes"},
      {"/caches/key/scale_bytes", 2, "key/scales"},
      {"/caches/key/n_bits", 2, "key/bit_map"},
      {"/caches/value/n_bits", 17, "caches/value/n_bits"},
      {"/caches/value/n_bits", 4, "value/payload"},
      {"/caches/value/n_bits", nullptr, "value/bit_map"},
      {"/caches/key/components/payload", huge, "caches/key/components/payload"},
      {"/caches/key/components/payload", std::uint64_t{1} << 62, "key/payload"},
      {"/caches/key/components/scales", 0, "too many"},
      {"/about", Json::array(), "about"},
      {"/about/policy", Json::parse("[[[[[1]]]]]"), "about"},
  };
  for (const Case& c : cases) {
    const std::string line =
        refusal_with([&](Parts& p) { p.header[Json::json_pointer(c.pointer)] = c.value; });
    EXPECT_SAYS(line, c.place) << c.pointer << " = " << c.value;
    EXPECT_SAYS(line, "a.qkv");
  }
  for (const char* key : {"shape", "dtype", "caches", "about"}) {
    EXPECT_SAYS(refusal_with([&](Parts& p) { p.header.erase(key); }), key);
  }
}

TEST_F(PackedFileTest, ComponentsAreRefusedByUnit) {
  const auto with = [&](const char* component, std::size_t at, unsigned char value) {
    return refusal_with([&](Parts& p) {
      p.components[p.begin_of("key", component) + at] = static_cast<char>(value);
    });
  };
  EXPECT_SAYS(with("bit_map", 4, 17), "key/bit_map, unit 4: 17 bits are above 16");
  EXPECT_SAYS(with("bit_map", 29, 16), "key/payload");
  EXPECT_SAYS(with("offsets", 4 * 7, 0xff), "key/offsets, unit 7");
  EXPECT_SAYS(with("outlier_counts", 2 * 3, 200), "key/outlier_counts, unit 3");
  EXPECT_SAYS(with("outlier_counts", 2 * 3 + 1, 1), "key/outlier_counts, unit 3");
  EXPECT_SAYS(with("outlier_indices", 0, 0xff), "key/outlier_indices, unit 0");
  EXPECT_SAYS(refusal_with([](Parts& p) {
                const std::size_t at = p.begin_of("key", "scales");
                for (std::size_t i = 0; i < 4; ++i) p.components[at + i] = '\xff';
              }),
              "key/scales, byte 0");
  EXPECT_SAYS(refusal_with([](Parts& p) {
                const std::size_t at = p.begin_of("key", "outlier_values");
                p.components[at] = 0;
                p.components[at + 1] = '\x7c';
              }),
              "key/outlier_values, byte 0");
}

TEST_F(PackedFileTest, NothingIsAllocatedForWhatAFileOnlyClaims) {
  // 2^46 units of 0 bits: their scales alone would be 256 TB.
  EXPECT_SAYS(refusal_with([](Parts& p) {
                p.header["shape"]["n_tokens"] = std::uint64_t{1} << 40;
                p.header["caches"]["value"]["n_bits"] = 0;
              }),
              "key/outlier_counts");
}

TEST_F(PackedFileTest, FlippedBitsNeverCrash) {
  const std::string good = write_example();
  int n_taken = 0;
  for (unsigned seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE(cat("seed ", seed));
    std::mt19937 random(seed);
    Parts parts(good);
    std::string bytes;
    if (seed % 2) {
      // Anywhere, under the old hash.
      bytes = good;
      for (unsigned n = 0; n <= seed % 4; ++n) {
        bytes[random() % bytes.size()] ^= static_cast<char>(1u << random() % 8);
      }
    } else {
      // In the components, under a new hash: what is inside has to be checked on its own.
      for (unsigned n = 0; n <= seed % 8; ++n) {
        parts.components[random() % parts.components.size()] ^=
            static_cast<char>(1u << random() % 8);
      }
      bytes = parts.bytes();
    }
    put(bytes);
    try {
      const PackedFile file = read_packed_file(path());
      ++n_taken;
      const CacheShape& shape = file.caches.key.shape;
      if (shape.n_values() > 100000) continue;
      NdArray<float, 3> layer({shape.n_kv_heads, shape.n_tokens, shape.head_dim});
      for (const PackedCache* cache : {&file.caches.key, &file.caches.value}) {
        const Unpacker unpacker(*cache);
        for (std::int64_t l = 0; l < shape.n_layers; ++l) unpacker.layer(l, {layer.view(), {}});
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    }
  }
  // Codes and scales may be any; counts, places and sizes may not.
  EXPECT_GT(n_taken, 30);
  EXPECT_LT(n_taken, 400);
}

TEST_F(PackedFileTest, AFolderThatIsNotThereIsOneErrorLine) {
  try {
    write_packed_file(folder_.file("none/a.qkv"), example());
    FAIL() << "was written";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::work);
    EXPECT_SAYS(std::string(error.what()),
                "none/a.qkv: cannot be written: No such file or directory; ");
  }
  EXPECT_TRUE(folder_.names().empty());
}

}  // namespace
}  // namespace qaq
