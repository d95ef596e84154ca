#include "gpu/engine/weight_upload.h"

#include <algorithm>
#include <cstring>
#include <cuda_runtime_api.h>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/model_source.h"
#include "gpu/cuda/kernels/dequantize_weights.h"
#include "gpu/device/error.h"

namespace qaq::cuda {
namespace {

constexpr std::int64_t kMaxPiece = std::int64_t{8} << 20;

// A row at least; no more than the largest matrix has.
std::int64_t piece_size(const ModelSpec& spec) {
  std::int64_t row = 0, matrix = 0;
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto [rows, cols] = weight_shape(static_cast<WeightRole>(i), spec.shape);
    row = std::max(row, 4 * cols);
    matrix = std::max(matrix, 4 * rows * cols);
  }
  return Arena::rounded(std::max(row, std::min(matrix, kMaxPiece)));
}

std::int64_t n_weights(const ModelSpec& spec) { return kWeightRoles * (spec.shape.n_layers + 1); }

std::int64_t flag_bytes(const ModelSpec& spec) {
  return Arena::rounded(n_weights(spec) * static_cast<std::int64_t>(sizeof(unsigned long long)));
}

[[noreturn]] void refuse(const WeightView& weight, DType dtype, std::int64_t index) {
  require_finite(weight);  // throws for what no type can hold
  refuse_input({.place = weight.name,
                .what = cat("row ", index / weight.cols, ", column ", index % weight.cols,
                            " is too large for ", name_of(dtype)),
                .cure = "run with --dtype bf16 or f32"});
}

}  // namespace

std::int64_t WeightUpload::device_bytes(const ModelSpec& spec) {
  return 2 * piece_size(spec) + flag_bytes(spec);
}

WeightUpload::WeightUpload(const ModelSpec& spec, std::byte* memory)
    : piece_bytes_(piece_size(spec)),
      pinned_{PinnedBuffer<std::byte>(piece_bytes_), PinnedBuffer<std::byte>(piece_bytes_)},
      staged_{memory, memory + piece_bytes_},
      bad_(reinterpret_cast<unsigned long long*>(memory + 2 * piece_bytes_)) {
  static_assert(kNoneBad == ~0ull, "as many ones as memset makes");
  check(cudaMemset(bad_, 0xff, static_cast<std::size_t>(flag_bytes(spec))), "clearing flags");
  check(cudaStreamSynchronize(nullptr), "clearing flags");
}

void WeightUpload::put(const WeightView& weight, DType dtype, std::byte* device,
                       const Stream& stream) {
  const std::int64_t stored = row_bytes(weight.type, weight.cols);
  const std::int64_t together = std::max<std::int64_t>(1, piece_bytes_ / stored);
  const auto nth = put_.size();
  put_.push_back({weight, dtype});
  for (std::int64_t row = 0; row < weight.rows; row += together) {
    const std::int64_t n_rows = std::min(together, weight.rows - row);
    const auto n_bytes = static_cast<std::size_t>(n_rows * stored);
    sent_[next_].wait();
    std::memcpy(pinned_[next_].data(), weight.bytes.data() + row * stored, n_bytes);
    check(cudaMemcpyAsync(staged_[next_], pinned_[next_].data(), n_bytes, cudaMemcpyHostToDevice,
                          stream.get()),
          "copying weights");
    sent_[next_].record(stream);
    check(dequantize_weights({.blocks = staged_[next_],
                              .type = weight.type,
                              .rows = n_rows,
                              .cols = weight.cols,
                              .out = device + row * weight.cols * bytes_of(dtype),
                              .dtype = dtype,
                              .bad = bad_ + nth,
                              .first_index = row * weight.cols},
                             stream.get()),
          "decoding weights");
    next_ = 1 - next_;
  }
}

void WeightUpload::finish(const Stream& stream) {
  if (put_.empty()) return;
  std::vector<unsigned long long> bad(put_.size());
  check(cudaMemcpyAsync(bad.data(), bad_, bad.size() * sizeof(bad[0]), cudaMemcpyDeviceToHost,
                        stream.get()),
        "copying flags");
  stream.wait();
  const std::vector<Put> done = std::exchange(put_, {});
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (bad[i] == kNoneBad) continue;
    refuse(done[i].weight, done[i].dtype, static_cast<std::int64_t>(bad[i]));
  }
}

}  // namespace qaq::cuda
