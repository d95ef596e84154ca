#include "core/engine/tap_pool.h"

#include <algorithm>

namespace qaq {
namespace {

constexpr std::ptrdiff_t kMostSpare = 16;

}  // namespace

std::shared_ptr<float> TapPool::take(std::int64_t n) {
  const std::int64_t n_bytes = 4 * n;
  PageBuffer buffer;
  {
    std::unique_lock lock(state_->mutex);
    state_->returned.wait(lock, [&] {
      return state_->bytes_out == 0 || state_->bytes_out + n_bytes <= state_->max_bytes;
    });
    const auto same = std::ranges::find(state_->spare, n, &PageBuffer::size);
    if (same != state_->spare.end()) {
      buffer = std::move(*same);
      state_->spare.erase(same);
      state_->bytes_spare -= n_bytes;
    } else {
      // Sizes repeat from layer to layer; those of another run only take memory.
      if (std::ssize(state_->spare) > kMostSpare ||
          state_->bytes_out + state_->bytes_spare + n_bytes > state_->max_bytes) {
        state_->spare.clear();
        state_->bytes_spare = 0;
      }
      buffer = PageBuffer(n);
    }
    state_->bytes_out += n_bytes;
  }
  float* numbers = buffer.data();
  return {numbers, [state = state_, held = std::make_shared<PageBuffer>(std::move(buffer)),
                    n_bytes](float*) {
            {
              const std::lock_guard lock(state->mutex);
              state->bytes_out -= n_bytes;
              state->bytes_spare += n_bytes;
              state->spare.push_back(std::move(*held));
            }
            state->returned.notify_all();  // those who wait may want different sizes
          }};
}

std::int64_t TapPool::bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->bytes_out + state_->bytes_spare;
}

}  // namespace qaq
