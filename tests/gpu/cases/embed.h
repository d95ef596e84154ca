#pragma once

#include "gpu/cuda/kernels/embed.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

inline CaseRow embed_case(std::int64_t n_rows, std::int64_t n_cols) {
  const std::int64_t vocab_size = 41;
  Numbers numbers(1);
  const std::vector<float> table = numbers.bells(vocab_size * n_cols);
  std::vector<std::int32_t> ids;
  std::vector<float> want;
  for (std::int64_t row = 0; row < n_rows; ++row) {
    ids.push_back(static_cast<std::int32_t>((row * 17 + vocab_size - 1) % vocab_size));
    const auto first = table.begin() + ids.back() * n_cols;
    want.insert(want.end(), first, first + n_cols);
  }
  const DeviceArray<float> on_device(table), out = unwritten(n_rows * n_cols);
  const DeviceArray<std::int32_t> ids_on_device(ids);
  require(
      cuda::embed({on_device.data(), ids_on_device.data(), out.data(), n_rows, n_cols}, nullptr),
      "embed");
  const std::vector<float> got = out.host();
  return {"embed", shape_text({{"T", n_rows}, {"n", n_cols}}), n_different(got, want), 0,
          digest_of(got)};
}

/// Tables in 16 bits, widened.
inline CaseRow embed_short_case(std::int64_t n_cols, DType dtype) {
  const Bits16 table = bits16(Numbers(1).bells(3 * n_cols), dtype);
  const DeviceArray<std::uint16_t> on_device(table);
  const DeviceArray<std::int32_t> ids({2, 0, 1, 2});
  const DeviceArray<float> out = unwritten(4 * n_cols);
  require(cuda::embed({on_device.data(), ids.data(), out.data(), 4, n_cols, dtype}, nullptr),
          "embed");
  const std::vector<float> got = out.host();
  std::vector<float> want;
  for (const std::int64_t id : {2, 0, 1, 2}) {
    const auto first = table.begin() + id * n_cols;
    const std::vector<float> row = widened({first, first + n_cols}, dtype);
    want.insert(want.end(), row.begin(), row.end());
  }
  return {"embed", shape_text({{"T", 4}, {"n", n_cols}}) + ", " + std::string(name_of(dtype)),
          n_different(got, want), 0, digest_of(got)};
}

/// The last row of a table of more than 2^31 numbers.
inline CaseRow embed_far_case() {
  const std::int64_t n_cols = 16384, vocab_size = (std::int64_t{1} << 31) / n_cols + 1;
  const std::vector<float> last = Numbers(2).bells(n_cols);
  DeviceArray<float> table(static_cast<std::size_t>(vocab_size * n_cols));
  table.set(last, table.size() - last.size());
  const DeviceArray<std::int32_t> id({static_cast<std::int32_t>(vocab_size - 1)});
  const DeviceArray<float> out = unwritten(n_cols);
  require(cuda::embed({table.data(), id.data(), out.data(), 1, n_cols}, nullptr), "embed");
  const std::vector<float> got = out.host();
  return {"embed, far", shape_text({{"vocabulary", vocab_size}, {"n", n_cols}}),
          n_different(got, last), 0, digest_of(got)};
}

inline std::vector<CaseRow> check_embed(bool small) {
  require(cuda::embed({}, nullptr), "embed of no rows");
  std::vector<CaseRow> rows;
  for (const std::int64_t n_cols : {1, 24, 63, 64, 65, 257, 576}) {
    rows.push_back(embed_case(1, n_cols));
    rows.push_back(embed_case(65, n_cols));
    rows.push_back(embed_short_case(n_cols, n_cols % 2 == 0 ? DType::f16 : DType::bf16));
  }
  if (!small) {
    rows.push_back(embed_case(1024, 4096));
    rows.push_back(embed_far_case());
  }
  return rows;
}

}  // namespace qaq::cases
