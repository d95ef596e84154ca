#include "tests/bench/machine_limits.h"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <hwy/highway.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "core/base/parallel.h"
#include "core/tensor/page_buffer.h"

namespace qaq::bench {
namespace {

// This file is compiled for the machine that it runs on, so one target is enough.
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

volatile float sink;  // keeps results from being left out

float multiply_adds(std::int64_t n) {
  constexpr int kChains = 16;  // more than latency times units
  const Floats d;
  hn::Vec<Floats> sum[kChains];
  for (auto& s : sum) s = hn::Set(d, 1.0f);
  const auto factor = hn::Set(d, 0.999f), term = hn::Set(d, 0.001f);
  for (std::int64_t i = 0; i < n; ++i) {
    for (auto& s : sum) s = hn::MulAdd(s, factor, term);
  }
  for (const auto& s : sum) sum[0] = hn::Add(sum[0], s);
  return hn::GetLane(sum[0]);
}

float read_all(const float* from, std::int64_t n) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto a = hn::Zero(d), b = a, c = a, e = a;
  for (std::int64_t i = 0; i + 4 * lanes <= n; i += 4 * lanes) {
    a = hn::Add(a, hn::LoadU(d, from + i));
    b = hn::Add(b, hn::LoadU(d, from + i + lanes));
    c = hn::Add(c, hn::LoadU(d, from + i + 2 * lanes));
    e = hn::Add(e, hn::LoadU(d, from + i + 3 * lanes));
  }
  return hn::GetLane(hn::Add(hn::Add(a, b), hn::Add(c, e)));
}

}  // namespace

double fma_peak() {
  constexpr std::int64_t kSteps = 20'000;
  const std::int64_t n_pieces = 100 * thread_count();
  const double operations =
      2.0 * 16.0 * static_cast<double>(kSteps) * static_cast<double>(hn::Lanes(Floats()));
  double best = 0;
  for (int round = 0; round < 5; ++round) {  // threads sleep at first
    const double start = now();
    parallel_for(n_pieces, [](std::int64_t) { sink = multiply_adds(kSteps); });
    best = std::max(best, static_cast<double>(n_pieces) * operations / (now() - start));
  }
  return best;
}

double read_rate() {
  constexpr std::int64_t kFloats = std::int64_t{128} << 20;  // 512 MiB
  static const PageBuffer buffer = [] {
    PageBuffer filled(kFloats);
    std::fill_n(filled.data(), kFloats, 1.0f);
    return filled;
  }();
  constexpr std::int64_t kPieces = 64;
  const double start = now();
  parallel_for(kPieces, [](std::int64_t i) {
    sink = read_all(buffer.data() + i * (kFloats / kPieces), kFloats / kPieces);
  });
  return 4.0 * static_cast<double>(kFloats) / (now() - start);
}

double copy_rate() {
  constexpr std::int64_t kFloats = std::int64_t{64} << 20;  // 256 MiB
  static PageBuffer from(kFloats), to(kFloats);
  static const bool touched = [] {
    std::fill_n(from.data(), kFloats, 1.0f);
    std::fill_n(to.data(), kFloats, 0.0f);
    return true;
  }();
  (void)touched;
  constexpr std::int64_t kPieces = 64;
  const double start = now();
  parallel_for(kPieces, [](std::int64_t i) {
    const std::int64_t n = kFloats / kPieces;
    std::copy_n(from.data() + i * n, n, to.data() + i * n);
  });
  return 2 * 4.0 * static_cast<double>(kFloats) / (now() - start);
}

double write_seconds(const std::string& path, std::int64_t n_bytes) {
  // As of a capture, the bytes come from memory and from no cache.
  constexpr std::int64_t kSource = 128 << 20, kPiece = 8 << 20;
  static const std::vector<char> source(kSource, 'x');
  ::unlink(path.c_str());
  const double start = now();
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0644);
  for (std::int64_t done = 0; file >= 0 && done < n_bytes;) {
    const ssize_t n =
        ::write(file, source.data() + done / kPiece * kPiece % kSource,
                static_cast<std::size_t>(std::min<std::int64_t>(kPiece, n_bytes - done)));
    if (n <= 0) break;
    done += n;
  }
  if (file < 0 || ::close(file) != 0) throw std::system_error(errno, std::generic_category(), path);
  const double seconds = now() - start;
  ::unlink(path.c_str());
  return seconds;
}

}  // namespace qaq::bench
