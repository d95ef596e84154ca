#include "data/capture/capture_reader.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/derive_attention.h"
#include "data/capture/capture_file.h"
#include "data/capture/capture_info_reader.h"
#include "data/capture/capture_shapes.h"
#include "data/capture/h5_dataset.h"
#include "data/capture/h5_thread.h"
#include "data/capture/stored_numbers.h"

namespace qaq {
namespace {

constexpr std::int64_t kCacheBytes = std::int64_t{2} << 30;
constexpr std::int64_t kBlockBytes = std::int64_t{64} << 20;
constexpr const char* kAgain = "capture again; if it stays, the model itself computes it";

/// Where an array comes from, and what messages call its axes.
struct Source {
  const char* path;
  std::vector<std::string> axes;
  std::array<const char*, 3> words;
};

const Source& source_of(int kind) {
  static const std::array<Source, 4> sources{Source{capture_path::kKey,
                                                    {"layer", "kv_head", "token", "channel"},
                                                    {"KV head", "token", "channel"}},
                                             Source{capture_path::kValue,
                                                    {"layer", "kv_head", "token", "channel"},
                                                    {"KV head", "token", "channel"}},
                                             Source{capture_path::kQueryValues,
                                                    {"layer", "head", "token", "channel"},
                                                    {"head", "token", "channel"}},
                                             Source{capture_path::kScores,
                                                    {"layer", "head", "query_token", "token"},
                                                    {"head", "row", "key token"}}};
  return sources[static_cast<std::size_t>(kind)];
}

/// Reads a slab as float32; HDF5 converts only what is not ours to convert.
void read_floats(const h5::Dataset& dataset, const h5::Slab& slab, std::vector<std::uint16_t>& half,
                 std::span<float> out) {
  const bool is_f16 = dataset.stored() == h5::Stored::f16;
  if (!is_f16 && dataset.stored() != h5::Stored::bf16) {
    dataset.read(slab, H5T_NATIVE_FLOAT, out.data());
    return;
  }
  half.resize(out.size());
  const h5::Handle type = h5::file_type(DType::f16);
  dataset.read(slab, is_f16 ? type.id() : H5T_NATIVE_UINT16, half.data());
}

}  // namespace

CaptureReader::CaptureReader(std::string path, std::int64_t cache_bytes)
    : path_(std::move(path)), cache_(cache_bytes) {
  info_ = h5::thread().run([&] { return read_capture_info(h5::File(path_, h5::Access::read)); });
}

SharedArray<float, 3> CaptureReader::key(std::int64_t layer_index) const {
  return whole(kKeys, layer_index);
}
SharedArray<float, 3> CaptureReader::value(std::int64_t layer_index) const {
  return whole(kValues, layer_index);
}
SharedArray<float, 3> CaptureReader::query(std::int64_t layer_index) const {
  if (!info_.has_queries) {
    refuse_input({.file = path_,
                  .place = capture_path::kQueryValues,
                  .what = "the capture holds no queries",
                  .cure = "capture again without --no-queries"});
  }
  return whole(kQueries, layer_index);
}

SharedArray<float, 3> CaptureReader::whole(Kind kind, std::int64_t layer_index) const {
  return cache_.get({kind, layer_index, 0, info_.n_tokens},
                    [&] { return load(kind, layer_index, 0, info_.n_tokens); });
}

SharedArray<float, 3> CaptureReader::attention(std::int64_t layer_index, std::int64_t first_row,
                                               std::int64_t n_rows) const {
  if (info_.profile == AttentionProfile::none) {
    refuse_input({.file = path_,
                  .place = capture_path::kAttention,
                  .what = "the capture holds no attention (profile none)",
                  .cure = "capture again with --attention derive"});
  }
  return cache_.get({kScores, layer_index, first_row, n_rows}, [&] {
    return stores_scores() ? load(kScores, layer_index, first_row, n_rows)
                           : derive(layer_index, first_row, n_rows);
  });
}

SharedArray<float, 3> CaptureReader::derive(std::int64_t layer_index, std::int64_t first_row,
                                            std::int64_t n_rows) const {
  const auto positions =
      std::span(info_.query_token)
          .subspan(static_cast<std::size_t>(first_row), static_cast<std::size_t>(n_rows));
  return std::make_shared<const NdArray<float, 3>>(
      derive_attention(query(layer_index)->view(), key(layer_index)->view(), positions,
                       info_.score_rule(layer_index)));
}

SharedArray<float, 3> CaptureReader::load(Kind kind, std::int64_t layer_index,
                                          std::int64_t first_row, std::int64_t n_rows) const {
  assert(layer_index >= 0 && layer_index < info_.n_captured_layers());
  const Source& source = source_of(kind);
  const h5::Extents expected = expected_extents(info_, source.axes);
  assert(first_row >= 0 && first_row + n_rows <= static_cast<std::int64_t>(expected[2]));
  NdArray<float, 3> numbers(
      {static_cast<std::int64_t>(expected[1]), n_rows, static_cast<std::int64_t>(expected[3])});
  std::vector<std::uint16_t> half;
  const h5::Stored stored = h5::thread().run([&] {
    const h5::File file(path_, h5::Access::read);
    const h5::Dataset dataset = h5::Dataset::open(file, source.path);
    if (dataset.extents() != expected) {
      file.refuse(source.path, "has changed since the capture was opened", "open it again");
    }
    const h5::Slab slab{{static_cast<hsize_t>(layer_index), 0, static_cast<hsize_t>(first_row), 0},
                        {1, expected[1], static_cast<hsize_t>(n_rows), expected[3]}};
    read_floats(dataset, slab, half, numbers.span());
    return dataset.stored();
  });
  if (!half.empty()) {
    decode(half, stored == h5::Stored::f16 ? DType::f16 : DType::bf16, numbers.span());
  }
  check_numbers(kind, layer_index, first_row, numbers);
  return std::make_shared<const NdArray<float, 3>>(std::move(numbers));
}

void CaptureReader::check_numbers(Kind kind, std::int64_t layer_index, std::int64_t first_row,
                                  const NdArray<float, 3>& numbers) const {
  const Source& source = source_of(kind);
  const auto refuse = [&](std::int64_t at, const std::string& what) {
    const std::int64_t n_cols = numbers.shape(2), n_rows = numbers.shape(1);
    refuse_input(
        {.file = path_,
         .place = source.path,
         .what = cat(what, " at layer ", info_.layers[static_cast<std::size_t>(layer_index)], ", ",
                     source.words[0], " ", at / n_cols / n_rows, ", ", source.words[1], " ",
                     first_row + at / n_cols % n_rows, ", ", source.words[2], " ", at % n_cols),
         .cure = kAgain});
  };
  const auto all = numbers.span();
  const std::size_t bad = first_beyond(all, largest_storable(DType::f32));
  if (bad < all.size()) {
    refuse(static_cast<std::int64_t>(bad), std::isnan(all[bad]) ? "not a number" : "infinity");
  }
  if (kind != kScores) return;
  for (std::int64_t i = 0; i < numbers.shape(0) * numbers.shape(1); ++i) {
    const std::int64_t position =
        info_.query_token[static_cast<std::size_t>(first_row + i % numbers.shape(1))];
    const std::int64_t begin = i * numbers.shape(2);
    for (std::int64_t t = position + 1; t < numbers.shape(2); ++t) {
      if (all[static_cast<std::size_t>(begin + t)] != 0) {
        refuse(begin + t, "a score above the diagonal is not zero");
      }
    }
  }
}

bool CaptureReader::stores_scores() const {
  return info_.profile == AttentionProfile::full || info_.profile == AttentionProfile::window;
}

std::int64_t CaptureReader::float_bytes() const {
  const ModelShape& s = info_.shape;
  const std::int64_t heads = 2 * s.n_kv_heads + (info_.has_queries ? s.n_heads : 0);
  const std::int64_t scores = stores_scores() ? s.n_heads * info_.n_query_rows() : 0;
  return info_.n_captured_layers() * info_.n_tokens * (heads * s.head_dim + scores) * 4;
}

void CaptureReader::check(const Work& work) const {
  // What fits is kept while it is checked; of what does not, nothing is.
  const bool keep = float_bytes() <= cache_.budget_bytes();
  const auto pass = [&](Kind kind, std::int64_t layer, std::int64_t first, std::int64_t n_rows) {
    work.throw_if_stopped();
    const auto make = [&] { return load(kind, layer, first, n_rows); };
    if (keep)
      cache_.get({kind, layer, first, n_rows}, make);
    else
      make();
  };
  const std::int64_t n_layers = info_.n_captured_layers();
  const std::int64_t n_rows = info_.n_query_rows();
  const std::int64_t row_bytes = info_.shape.n_heads * info_.n_tokens * 4;
  const std::int64_t block = keep ? n_rows : std::max<std::int64_t>(1, kBlockBytes / row_bytes);
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    work.report({.stage = "open", .done = layer, .total = n_layers, .unit = "layers"});
    pass(kKeys, layer, 0, info_.n_tokens);
    pass(kValues, layer, 0, info_.n_tokens);
    if (info_.has_queries) pass(kQueries, layer, 0, info_.n_tokens);
    for (std::int64_t row = 0; stores_scores() && row < n_rows; row += block) {
      pass(kScores, layer, row, std::min(block, n_rows - row));
    }
  }
  work.report({.stage = "open", .done = n_layers, .total = n_layers, .unit = "layers"});
}

std::shared_ptr<const CaptureView> open_capture(const std::string& path, const Work& work) {
  auto capture = std::make_shared<CaptureReader>(path, kCacheBytes);
  capture->check(work);
  return capture;
}

}  // namespace qaq
