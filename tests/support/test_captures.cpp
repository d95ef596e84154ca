#include "tests/support/test_captures.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>
#include <span>

#include "core/base/text.h"
#include "core/replay/derive_attention.h"

namespace qaq::test {
namespace {

NdArray<float, 3> array_of(const ReferenceFile& file, const std::string& name) {
  const auto shape = file.shape(name);
  NdArray<float, 3> out({shape.at(0), shape.at(1), shape.at(2)});
  const auto numbers = file.floats(name);
  std::copy(numbers.begin(), numbers.end(), out.data());
  return out;
}

// Box-Muller on the engine's own integers: the standard distributions differ between libraries.
class NormalNumbers {
 public:
  explicit NormalNumbers(std::uint32_t seed) : engine_(seed) {}
  float operator()() {
    const double u = (uniform() + 1) / 4294967297.0, v = uniform() / 4294967296.0;
    return static_cast<float>(std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v));
  }
  NdArray<float, 3> array(const Shape<3>& shape) {
    NdArray<float, 3> out(shape);
    for (float& x : out.span()) x = (*this)() * (engine_() % 50 == 0 ? 10.0f : 1.0f);
    return out;
  }

 private:
  double uniform() { return static_cast<double>(engine_()); }
  std::mt19937 engine_;
};

std::vector<std::int32_t> iota(std::int64_t first, std::int64_t last) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(last - first));
  std::iota(out.begin(), out.end(), static_cast<std::int32_t>(first));
  return out;
}

}  // namespace

std::shared_ptr<const MemoryCapture> narrative_capture(const ReferenceFile& file) {
  CaptureInfo info;
  info.name = "narrative.h5";
  info.shape = {.n_layers = 30, .n_heads = 9, .n_kv_heads = 3, .head_dim = 64};
  info.layers = {0, 1, 14, 29};
  info.n_tokens = info.n_prompt = 95;
  info.token_ids = iota(0, 95);
  info.query_token = iota(0, 95);
  MemoryCapture::Arrays arrays;
  for (const std::string layer : {"00", "01", "14", "29"}) {
    arrays.query.push_back(array_of(file, "layers/" + layer + "/query"));
    arrays.key.push_back(array_of(file, "layers/" + layer + "/key"));
    arrays.value.push_back(array_of(file, "layers/" + layer + "/value"));
    arrays.attention.push_back(array_of(file, "layers/" + layer + "/attention"));
  }
  return std::make_shared<const MemoryCapture>(std::move(info), std::move(arrays));
}

CaptureInfo synthetic_info(const SyntheticShape& shape, std::int64_t window) {
  CaptureInfo info;
  info.name = "synthetic.h5";
  info.shape = {.n_layers = shape.n_layers,
                .n_heads = shape.n_heads,
                .n_kv_heads = shape.n_kv_heads,
                .head_dim = shape.head_dim};
  info.layers = iota(0, shape.n_layers);
  info.n_tokens = info.n_prompt = shape.n_tokens;
  info.token_ids = iota(0, shape.n_tokens);
  for (const std::int32_t id : info.token_ids) info.token_text.push_back(cat("t", id));
  info.token_bytes = info.token_text;
  info.profile = window > 0 ? AttentionProfile::window : AttentionProfile::full;
  info.query_token = iota(window > 0 ? shape.n_tokens - window : 0, shape.n_tokens);
  return info;
}

MemoryCapture narrative_cache(const ReferenceFile& file) {
  CaptureInfo info = synthetic_info(
      {.n_layers = 30, .n_heads = 9, .n_kv_heads = 3, .n_tokens = 95, .head_dim = 64});
  info.profile = AttentionProfile::none;
  info.has_queries = false;
  info.query_token.clear();
  MemoryCapture::Arrays arrays;
  for (auto& [name, layers] :
       {std::pair("input/key", &arrays.key), std::pair("input/value", &arrays.value)}) {
    const auto numbers = file.floats(name);
    for (std::size_t layer = 0; layer < 30; ++layer) {
      NdArray<float, 3> array({3, 95, 64});
      const auto size = static_cast<std::size_t>(array.size());
      std::copy_n(numbers.begin() + static_cast<std::ptrdiff_t>(layer * size), size, array.data());
      layers->push_back(std::move(array));
    }
  }
  return {std::move(info), std::move(arrays)};
}

MemoryCapture::Arrays arrays_without_attention(const SyntheticShape& shape, std::uint32_t seed) {
  NormalNumbers numbers(seed);
  MemoryCapture::Arrays arrays;
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
    arrays.query.push_back(numbers.array({shape.n_heads, shape.n_tokens, shape.head_dim}));
    arrays.key.push_back(numbers.array({shape.n_kv_heads, shape.n_tokens, shape.head_dim}));
    arrays.value.push_back(numbers.array({shape.n_kv_heads, shape.n_tokens, shape.head_dim}));
  }
  return arrays;
}

MemoryCapture::Arrays synthetic_arrays(const SyntheticShape& shape, std::uint32_t seed,
                                       std::int64_t window) {
  const auto rows = synthetic_info(shape, window).query_token;
  MemoryCapture::Arrays arrays = arrays_without_attention(shape, seed);
  for (std::size_t layer = 0; layer < arrays.key.size(); ++layer) {
    arrays.attention.push_back(
        derive_attention(arrays.query[layer].view(), arrays.key[layer].view(), rows, {}));
  }
  return arrays;
}

MemoryCapture synthetic_capture(const SyntheticShape& shape, std::uint32_t seed,
                                std::int64_t window) {
  return {synthetic_info(shape, window), synthetic_arrays(shape, seed, window)};
}

}  // namespace qaq::test
