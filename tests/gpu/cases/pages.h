// Caches in pages for the checks of their kernels, and what core makes of the same rows and plans.
#pragma once

#include <algorithm>
#include <memory>

#include "core/quant/quantize.h"
#include "core/quant/unit_codec.h"
#include "core/quant/unit_grid.h"
#include "core/quant/unit_layout.h"
#include "core/quant/unit_stats.h"
#include "core/tensor/dtype.h"
#include "gpu/cuda/kernels/assign_slots.h"
#include "gpu/cuda/kernels/unpack_pages.h"
#include "gpu/cuda/kernels/write_pages.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

/// One cache, and how its units are quantized.
struct PagesShape {
  cuda::Side side = cuda::Side::key;
  std::int64_t n_layers = 1;
  std::int64_t n_kv_heads = 1;
  std::int64_t head_dim = 64;
  std::int64_t max_tokens = 64;
  QuantizerSpec spec = {};
  DType dtype = DType::f32;
  int max_bits = kMaxBits;
  std::int32_t n_workers = 2;
  std::int64_t n_parts = 1;  ///< launches for the lists

  std::int64_t n_lists() const { return n_layers * n_kv_heads; }
  CacheShape shape() const { return {n_layers, n_kv_heads, max_tokens, head_dim}; }
  UnitLayout layout() const { return UnitLayout(spec.level, shape()); }
};

/// Rows of every list, (n_lists, max_tokens, head_dim), as the cache's type holds them.
inline std::vector<float> cache_rows(const PagesShape& s, std::uint32_t seed) {
  Numbers numbers(seed);
  std::vector<float> rows(static_cast<std::size_t>(s.n_lists() * s.max_tokens * s.head_dim));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool far = numbers.uniform() < 0.01;
    rows[i] = rounded(numbers.bell(far ? 12 : 1) + (i / 7 % 5 == 0 ? 0.5f : 0.0f), s.dtype);
  }
  // Rows without spread, and one of zeros of either sign.
  for (std::int64_t c = 0; c < s.head_dim && s.max_tokens > 9; ++c) {
    rows[static_cast<std::size_t>(5 * s.head_dim + c)] = rounded(1.25f, s.dtype);
    rows[static_cast<std::size_t>(9 * s.head_dim + c)] = c % 2 == 0 ? 0.0f : -0.0f;
  }
  return rows;
}

/// The same numbers in the cache's type, on the device.
class DeviceRows {
 public:
  DeviceRows(const std::vector<float>& rows, DType dtype)
      : floats_(dtype == DType::f32 ? rows : std::vector<float>()), halves_(bits(rows, dtype)) {}
  const void* data() const {
    return floats_.size() > 0 ? static_cast<const void*>(floats_.data()) : halves_.data();
  }

 private:
  static std::vector<std::uint16_t> bits(const std::vector<float>& rows, DType dtype) {
    std::vector<std::uint16_t> out;
    for (const float x : dtype == DType::f32 ? std::vector<float>() : rows) {
      out.push_back(dtype == DType::f16 ? half_from_float(x) : bf16_from_float(x));
    }
    return out;
  }
  DeviceArray<float> floats_;
  DeviceArray<std::uint16_t> halves_;
};

/// The device's arrays of one cache, every one exactly as long as it has to be.
class DevicePages {
 public:
  explicit DevicePages(const PagesShape& s) : shape_(s), cache_(sizes_of(s)) {
    const std::int64_t lists = cache_.n_lists, places = lists * cache_.max_pages;
    const std::int64_t tokens = lists * cache_.max_tokens, outliers = lists * cache_.max_outliers;
    cache_.states = take(std::vector<cuda::ListState>(static_cast<std::size_t>(lists)));
    cache_.problems = take(std::vector<std::int32_t>{0});
    cache_.changed = take(std::vector<std::uint32_t>(static_cast<std::size_t>(places)));
    cache_.pages = take_unwritten<cuda::Page>(places);
    cache_.tokens = take_unwritten<std::int32_t>(places * cuda::kPageTokens);
    cache_.grids = take_unwritten<cuda::RowGrid>(places * cuda::kPageTokens);
    cache_.payload = take_unwritten<std::uint32_t>(places * cache_.place_words);
    cache_.ordinals = take_unwritten<std::int32_t>(places);
    cache_.held = take_unwritten<std::uint8_t>(tokens);  // all in no page
    cache_.slots = take_unwritten<std::int32_t>(tokens);
    if (s.spec.outliers_ratio > 0) {
      cache_.outlier_runs = take_unwritten<cuda::OutlierRun>(tokens);
      cache_.outlier_channels = take_unwritten<std::uint16_t>(outliers);
      cache_.outlier_values = take_unwritten<std::byte>(outliers * bytes_of(s.dtype));
    }
    assign_space_ = take_unwritten<std::byte>(cuda::assign_workspace(cache_, s.n_workers));
    write_space_ = take_unwritten<std::byte>(cuda::write_workspace(cache_, s.n_workers));
  }

  const cuda::PagedCache& cache() const { return cache_; }
  std::byte* assign_space() const { return assign_space_; }
  std::byte* write_space() const { return write_space_; }

  std::int32_t problems() const { return host(cache_.problems, 1)[0]; }

  /// What an array of the device holds.
  template <class T>
  static std::vector<T> host(const T* from, std::int64_t n) {
    std::vector<T> out(static_cast<std::size_t>(n));
    if (n > 0) {
      require(cudaMemcpyAsync(out.data(), from, out.size() * sizeof(T), cudaMemcpyDeviceToHost,
                              nullptr),
              "copy from the device");
    }
    wait("a kernel, or the copy from the device");
    return out;
  }
  std::vector<float> unpacked(DType dtype = DType::f32) const {
    const std::int64_t n = cache_.n_lists * shape_.max_tokens * shape_.head_dim;
    const DeviceArray<float> out = unwritten(dtype == DType::f32 ? n : (n + 1) / 2);
    require(cuda::unpack_pages({cache_, out.data(), dtype, shape_.max_tokens, 0, cache_.n_lists},
                               nullptr),
            "unpack_pages");
    return out.host();
  }

 private:
  static cuda::PagedCache sizes_of(const PagesShape& s) {
    cuda::PagedCache c;
    c.side = s.side;
    c.rule = s.spec.range_rule;
    c.dtype = s.dtype;
    c.n_lists = static_cast<std::int32_t>(s.n_lists());
    c.n_kv_heads = static_cast<std::int32_t>(s.n_kv_heads);
    c.head_dim = static_cast<std::int32_t>(s.head_dim);
    c.max_tokens = static_cast<std::int32_t>(s.max_tokens);
    c.max_bits = s.max_bits;
    c.place_words = cuda::largest_page(s.max_bits, c.head_dim);
    c.max_pages = static_cast<std::int32_t>(cuda::pages_needed(s.max_tokens, s.max_bits + 1));
    c.max_outliers = static_cast<std::int32_t>(s.max_tokens * s.head_dim);
    c.units_per_token = static_cast<std::int32_t>(s.layout().units_per_token());
    return c;
  }
  template <class T>
  T* take(const std::vector<T>& from) {
    auto array = std::make_shared<DeviceArray<T>>(from);
    arrays_.push_back(array);
    return array->data();
  }
  template <class T>
  T* take_unwritten(std::int64_t n) {
    std::vector<T> from(static_cast<std::size_t>(n));
    if (n > 0) std::memset(static_cast<void*>(from.data()), 0xff, from.size() * sizeof(T));
    return take(from);
  }

  PagesShape shape_;
  cuda::PagedCache cache_;
  std::vector<std::shared_ptr<void>> arrays_;
  std::byte* assign_space_ = nullptr;
  std::byte* write_space_ = nullptr;
};

/// A cache that follows plans on the device, and beside it what core's codec holds.
class FollowedPages {
 public:
  FollowedPages(const PagesShape& s, std::uint32_t seed)
      : shape_(s),
        rows_(cache_rows(s, seed)),
        exact_(rows_, s.dtype),
        pages_(s),
        kept_(unwritten<std::byte>(std::ssize(rows_) * bytes_of(s.dtype))),
        values_(rows_.size(), std::numeric_limits<float>::quiet_NaN()),
        codes_(rows_.size(), 0),
        held_(static_cast<std::size_t>(s.n_lists() * s.max_tokens), cuda::kInNoPage) {
    make_stats();
  }

  const PagesShape& shape() const { return shape_; }
  const DevicePages& device() const { return pages_; }
  const std::vector<float>& rows() const { return rows_; }
  const DeviceRows& exact() const { return exact_; }
  /// (n_lists, max_tokens, head_dim); NaN where nothing is held.
  const std::vector<float>& values() const { return values_; }
  const std::vector<unsigned>& codes() const { return codes_; }
  const std::vector<std::uint8_t>& held() const { return held_; }
  std::int64_t n_packed() const { return n_packed_; }
  /// Lists that followed when others were told to.
  double n_touched() const { return n_touched_; }
  /// Bytes of rows that plans covered and that were not kept as they are, or of others that were.
  double n_wrong_kept() const {
    const auto n = static_cast<std::int64_t>(kept_.size());
    const auto exact = DevicePages::host(static_cast<const std::byte*>(exact_.data()), n);
    const std::vector<std::byte> kept = kept_.host();
    const std::int64_t row = shape_.head_dim * bytes_of(shape_.dtype);
    double wrong = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool packed = i / row % shape_.max_tokens < n_packed_;
      wrong += kept[at] != (packed ? exact[at] : std::byte{0xff}) ? 1 : 0;
    }
    return wrong;
  }

  /// n_bits (units of n_tokens tokens), kInNoPage: evicted.
  void follow(const std::vector<std::uint8_t>& n_bits, std::int64_t n_tokens,
              bool demote_from_exact = false) {
    const DeviceArray<std::uint8_t> bits(n_bits);
    const DeviceArray<UnitStats> stats(stats_);
    const auto n = static_cast<std::int32_t>(n_tokens);
    const DeviceArray<cuda::CacheLengths> lengths(std::vector<cuda::CacheLengths>{{n, n}});
    cuda::AssignSlotsCall assign{pages_.cache(), bits.data(), lengths.data(), pages_.assign_space(),
                                 shape_.n_workers};
    cuda::WritePagesCall call{.cache = pages_.cache(), .quantizer = shape_.spec};
    call.stats = stats.data();
    call.lengths = lengths.data();
    call.exact = {exact_.data(), shape_.max_tokens, nullptr};
    // Fresh rows begin at the first token that is new.
    call.fresh = {static_cast<const std::byte*>(exact_.data()) +
                      n_packed_ * shape_.head_dim * bytes_of(shape_.dtype),
                  shape_.max_tokens, nullptr};
    call.demote_from_exact = demote_from_exact;
    call.workspace = pages_.write_space();
    call.keep = kept_.data();
    call.n_workers = shape_.n_workers;
    for (std::int64_t part = 0; part < shape_.n_parts; ++part) {
      const Part lists = part_of(shape_.n_lists(), part, shape_.n_parts);
      assign.first_list = call.first_list = static_cast<std::int32_t>(lists.first);
      assign.n_lists = call.n_lists = static_cast<std::int32_t>(lists.n);
      require(cuda::assign_slots(assign, nullptr), "assign_slots");
      require(cuda::write_pages(call, nullptr), "write_pages");
      const auto states = DevicePages::host(pages_.cache().states, shape_.n_lists());
      for (std::int64_t list = lists.first + lists.n; list < shape_.n_lists(); ++list) {
        n_touched_ += states[static_cast<std::size_t>(list)].n_packed != n_packed_ ? 1 : 0;
      }
    }
    wait("write_pages");
    follow_on_host(n_bits, n_tokens, demote_from_exact);
    n_packed_ = n_tokens;
  }

  /// Size of a held value as decode() makes it, which rounds by it: its steps and its base; of an
  /// outlier what stands in its place as well.
  double size_of(std::int64_t list, std::int64_t token, std::int64_t channel) const {
    const auto u = static_cast<std::size_t>(unit(list, token));
    const std::size_t at = row(list, token) + static_cast<std::size_t>(channel);
    const int bits = held_[static_cast<std::size_t>(list * shape_.max_tokens + token)];
    const UniformGrid grid = unit_grid(shape_.spec, stats_[u], bits);
    if (stats_[u].is_outlier(rows_[at])) {
      return std::abs(values_[at]) + std::abs(decode(grid, grid.lowest));
    }
    return std::abs(static_cast<double>(values_[at]) - grid.base) + std::abs(grid.base);
  }

  std::int64_t unit(std::int64_t list, std::int64_t token) const {
    return shape_.layout().unit(list / shape_.n_kv_heads, list % shape_.n_kv_heads, token);
  }

 private:
  std::size_t row(std::int64_t list, std::int64_t token) const {
    return static_cast<std::size_t>((list * shape_.max_tokens + token) * shape_.head_dim);
  }

  void make_stats() {
    const UnitLayout layout = shape_.layout();
    stats_.resize(static_cast<std::size_t>(layout.n_units()));
    std::vector<std::vector<float>> units(stats_.size());
    for (std::int64_t list = 0; list < shape_.n_lists(); ++list) {
      for (std::int64_t t = 0; t < shape_.max_tokens; ++t) {
        std::vector<float>& all = units[static_cast<std::size_t>(unit(list, t))];
        const float* from = rows_.data() + row(list, t);
        all.insert(all.end(), from, from + shape_.head_dim);
      }
    }
    for (std::size_t u = 0; u < units.size(); ++u) {
      stats_[u] = stats_of_unit(units[u], shape_.spec);
    }
  }

  void follow_on_host(const std::vector<std::uint8_t>& n_bits, std::int64_t n_tokens,
                      bool demote_from_exact) {
    for (std::int64_t list = 0; list < shape_.n_lists(); ++list) {
      for (std::int64_t t = 0; t < n_tokens; ++t) {
        const auto u = static_cast<std::size_t>(unit(list, t));
        std::uint8_t& held = held_[static_cast<std::size_t>(list * shape_.max_tokens + t)];
        const bool device = held != cuda::kInNoPage && n_bits[u] < held && !demote_from_exact;
        if (n_bits[u] != held) quantize(row(list, t), u, n_bits[u], device);
        held = n_bits[u];
      }
    }
  }

  // As core's StreamedCache does it: what is quantized again has no thresholds, and its outliers
  // are those of the exact values.
  void quantize(std::size_t first, std::size_t u, int n_bits, bool from_device) {
    const auto d = static_cast<std::size_t>(shape_.head_dim);
    const std::span<float> values = std::span(values_).subspan(first, d);
    const std::span<const float> exact = std::span(rows_).subspan(first, d);
    if (n_bits == cuda::kInNoPage) {
      std::fill(values.begin(), values.end(), std::numeric_limits<float>::quiet_NaN());
      return;
    }
    if (!from_device) std::copy(exact.begin(), exact.end(), values.begin());
    const UnitEncoder encoder(shape_.spec, stats_[u], n_bits);
    for (std::size_t c = 0; c < d; ++c) {
      codes_[first + c] = stats_[u].is_outlier(exact[c]) ? 0 : encoder.code(values[c]);
    }
    UnitStats open = stats_[u];
    open.low = -std::numeric_limits<float>::infinity();
    open.high = std::numeric_limits<float>::infinity();
    quantize_values(shape_.spec, open, n_bits, values, values);
    for (std::size_t c = 0; c < d; ++c) {
      if (stats_[u].is_outlier(exact[c])) values[c] = exact[c];
    }
  }

  PagesShape shape_;
  std::vector<float> rows_;
  DeviceRows exact_;
  DevicePages pages_;
  DeviceArray<std::byte> kept_;
  std::vector<UnitStats> stats_;
  std::vector<float> values_;
  std::vector<unsigned> codes_;
  std::vector<std::uint8_t> held_;
  std::int64_t n_packed_ = 0;
  double n_touched_ = 0;
};

/// Widths at random, each from `least` to `most`; the share `evicted` in no page.
inline std::vector<std::uint8_t> random_widths(Numbers& numbers, std::int64_t n, int least,
                                               int most, double evicted = 0) {
  std::vector<std::uint8_t> widths(static_cast<std::size_t>(n));
  for (std::uint8_t& width : widths) {
    const double pick = numbers.uniform();
    width = static_cast<std::uint8_t>(least + static_cast<int>(pick * (most - least + 1)));
    if (numbers.uniform() < evicted) width = cuda::kInNoPage;
  }
  return widths;
}

inline std::string pages_text(const PagesShape& s) {
  std::string text = shape_text({{"T", s.max_tokens}, {"D", s.head_dim}});
  text += s.side == cuda::Side::key ? ", keys" : ", values";
  text += ", " + std::string(name_of(s.dtype));
  return text;
}

}  // namespace qaq::cases
