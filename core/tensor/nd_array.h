#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "core/tensor/line_allocator.h"

namespace qaq {

template <std::size_t Rank>
using Shape = std::array<std::int64_t, Rank>;

template <std::size_t Rank>
std::int64_t element_count(const Shape<Rank>& shape) {
  std::int64_t n = 1;
  for (const std::int64_t extent : shape) n *= extent;
  return n;
}

/// A row-major block of numbers that somebody else owns. The last axis is contiguous; so is the
/// whole. Copying copies the reference, never the numbers.
template <class T, std::size_t Rank>
class NdView {
 public:
  NdView() = default;
  NdView(T* data, const Shape<Rank>& shape) : data_(data), shape_(shape) {}
  /// A view of const numbers from one of mutable numbers.
  template <class U>
  requires std::is_same_v<const U, T> NdView(
      const NdView<U, Rank>& other)  // NOLINT(google-explicit-constructor)
      : data_(other.data()), shape_(other.shape()) {}

  T* data() const { return data_; }
  const Shape<Rank>& shape() const { return shape_; }
  std::int64_t shape(std::size_t axis) const { return shape_[axis]; }
  std::int64_t size() const { return element_count(shape_); }
  bool empty() const { return size() == 0; }
  std::span<T> span() const { return {data_, static_cast<std::size_t>(size())}; }

  template <class... Index>
  T& operator()(Index... index) const {
    static_assert(sizeof...(Index) == Rank);
    return data_[offset({static_cast<std::int64_t>(index)...})];
  }

  /// The block at the given leading indices: v.sub(layer, head) of a (L, H, T, D) view is (T, D).
  template <class... Index>
  auto sub(Index... index) const {
    constexpr std::size_t n = sizeof...(Index);
    static_assert(n < Rank);
    const std::array<std::int64_t, n> lead{static_cast<std::int64_t>(index)...};
    Shape<Rank - n> rest{};
    for (std::size_t axis = n; axis < Rank; ++axis) rest[axis - n] = shape_[axis];
    std::int64_t at = 0;
    for (std::size_t axis = 0; axis < n; ++axis) {
      assert(lead[axis] >= 0 && lead[axis] < shape_[axis]);
      at = at * shape_[axis] + lead[axis];
    }
    return NdView<T, Rank - n>(data_ + at * element_count(rest), rest);
  }

 private:
  std::int64_t offset(const std::array<std::int64_t, Rank>& index) const {
    std::int64_t at = 0;
    for (std::size_t axis = 0; axis < Rank; ++axis) {
      assert(index[axis] >= 0 && index[axis] < shape_[axis]);
      at = at * shape_[axis] + index[axis];
    }
    return at;
  }

  T* data_ = nullptr;
  Shape<Rank> shape_{};
};

/// A row-major block of numbers that owns them, zero at first. Moves are free; a copy is asked for
/// by name, because it costs.
template <class T, std::size_t Rank>
class NdArray {
 public:
  NdArray() = default;
  explicit NdArray(const Shape<Rank>& shape, T fill = T{})
      : shape_(shape), values_(static_cast<std::size_t>(element_count(shape)), fill) {}

  NdArray(NdArray&&) noexcept = default;
  NdArray& operator=(NdArray&&) noexcept = default;
  NdArray copy() const { return NdArray(*this); }

  const Shape<Rank>& shape() const { return shape_; }
  std::int64_t shape(std::size_t axis) const { return shape_[axis]; }
  std::int64_t size() const { return static_cast<std::int64_t>(values_.size()); }
  bool empty() const { return values_.empty(); }
  T* data() { return values_.data(); }
  const T* data() const { return values_.data(); }
  std::span<T> span() { return values_; }
  std::span<const T> span() const { return values_; }

  NdView<T, Rank> view() { return {values_.data(), shape_}; }
  NdView<const T, Rank> view() const { return {values_.data(), shape_}; }
  template <class... Index>
  T& operator()(Index... index) {
    return view()(index...);
  }
  template <class... Index>
  const T& operator()(Index... index) const {
    return view()(index...);
  }
  template <class... Index>
  auto sub(Index... index) {
    return view().sub(index...);
  }
  template <class... Index>
  auto sub(Index... index) const {
    return view().sub(index...);
  }

 private:
  NdArray(const NdArray&) = default;
  NdArray& operator=(const NdArray&) = default;

  Shape<Rank> shape_{};
  std::vector<T, LineAllocator<T>> values_;
};

/// Numbers that several owners read and nobody changes any more.
template <class T, std::size_t Rank>
using SharedArray = std::shared_ptr<const NdArray<T, Rank>>;

}  // namespace qaq
