#include "core/evaluate/random_sample.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <random>
#include <unordered_set>

namespace qaq {
namespace {

// The state that Python seeds its Mersenne Twister with: init_by_array() of its inventors' code,
// for a key of one word.
class PythonSeed {
 public:
  using result_type = std::uint32_t;
  explicit PythonSeed(std::uint32_t seed) : seed_(seed) {}

  template <class Iterator>
  void generate(Iterator first, Iterator last) const {
    const auto n = static_cast<std::size_t>(last - first);
    std::vector<std::uint32_t> state(n);
    state[0] = 19650218;
    const auto mixed = [&](std::size_t i) { return state[i - 1] ^ (state[i - 1] >> 30); };
    for (std::size_t i = 1; i < n; ++i) {
      state[i] = 1812433253U * mixed(i) + static_cast<std::uint32_t>(i);
    }
    std::size_t i = 1;
    const auto next = [&] {
      if (++i == n) {
        state[0] = state[n - 1];
        i = 1;
      }
    };
    for (std::size_t step = 0; step < n; ++step, next()) {
      state[i] = (state[i] ^ (mixed(i) * 1664525U)) + seed_;
    }
    for (std::size_t step = 1; step < n; ++step, next()) {
      state[i] = (state[i] ^ (mixed(i) * 1566083941U)) - static_cast<std::uint32_t>(i);
    }
    state[0] = 0x80000000U;
    std::ranges::copy(state, first);
  }

 private:
  std::uint32_t seed_;
};

// random.Random._randbelow(): as many bits as n has, drawn again until they are below it.
std::size_t below(std::mt19937& random, std::size_t n) {
  const auto n_bits = static_cast<int>(std::bit_width(n));
  std::size_t drawn = n;
  while (drawn >= n) drawn = static_cast<std::uint32_t>(random()) >> (32 - n_bits);
  return drawn;
}

// Up to this many of a population random.sample() draws from a list that shrinks.
std::size_t largest_pool(std::size_t k) {
  if (k <= 5) return 21;
  std::size_t power = 1;
  while (power < 3 * k) power *= 4;
  return 21 + power;
}

}  // namespace

std::vector<std::int64_t> random_sample(std::uint32_t seed, std::int64_t n, std::int64_t k) {
  PythonSeed python(seed);
  std::mt19937 random(python);
  const auto n_all = static_cast<std::size_t>(n), n_drawn = static_cast<std::size_t>(k);
  std::vector<std::int64_t> out;
  if (n_all <= largest_pool(n_drawn)) {
    std::vector<std::int64_t> pool(n_all);
    std::iota(pool.begin(), pool.end(), 0);
    for (std::size_t i = 0; i < n_drawn; ++i) {
      const std::size_t at = below(random, n_all - i);
      out.push_back(pool[at]);
      pool[at] = pool[n_all - i - 1];
    }
    return out;
  }
  std::unordered_set<std::size_t> taken;
  while (out.size() < n_drawn) {
    const std::size_t at = below(random, n_all);
    if (taken.insert(at).second) out.push_back(static_cast<std::int64_t>(at));
  }
  return out;
}

}  // namespace qaq
