// cuBLASLt without a GPU: what is said where it is missing or cannot start, and what it is asked
// for. A library that is played multiplies on the host as cuBLASLt would: column-major.

#include "gpu/device/cublas.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/half.h"

// The library loses memory of its own where it cannot start. Asked by the address sanitizer alone.
extern "C" const char* __lsan_default_suppressions() { return "leak:libcublasLt\n"; }

namespace qaq::test {
namespace {

using cuda::CublasLt;
using cuda::CublasLtApi;
using Object = CublasLtApi::Object;

/// Sets an environment variable as long as it lives.
class Setting {
 public:
  Setting(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value, 1);
  }
  ~Setting() {
    if (before_.empty()) {
      unsetenv(name_);
    } else {
      setenv(name_, before_.c_str(), 1);
    }
  }

 private:
  const char* name_;
  std::string before_;
};

std::string why_not_opened(const char* path) {
  const Setting setting("QAQ_CUBLASLT", path);
  std::string why_not;
  EXPECT_EQ(CublasLt::open(why_not), nullptr);
  return why_not;
}

TEST(CublasLt, SaysWhyItIsNotThere) {
  const std::string missing = why_not_opened("/nowhere/libcublasLt.so");
  EXPECT_TRUE(missing.starts_with("QAQ_CUBLASLT: /nowhere/libcublasLt.so: ")) << missing;
  // A library of another kind.
  EXPECT_EQ(why_not_opened("libm.so.6"), "the library for cuBLASLt has no cublasLtCreate");
}

// Whatever this machine has: there is no GPU, or there is, and a library or none.
TEST(CublasLt, OpensOrSaysWhyNot) {
  std::string why_not;
  const std::unique_ptr<CublasLt> library = CublasLt::open(why_not);
  std::printf("%s\n", library ? library->version().c_str() : why_not.c_str());
  EXPECT_EQ(library == nullptr, !why_not.empty()) << why_not;
}

struct Played {
  int create_status = 0;
  int n_algorithms = 1;
  int multiply_status = 0;
  int n_chosen = 0;
  std::size_t n_objects = 0;  ///< that live
  int compute_type = 0;
  std::map<int, std::uint64_t> preferences{};
};
Played played;

struct Thing {
  int type = 0;
  std::uint64_t rows = 0, columns = 0;
  std::int64_t leading = 0;
  std::map<int, std::uint64_t> set{};
};

Thing& thing(Object object) { return *static_cast<Thing*>(object); }

int make(Object* object, Thing what) {
  *object = new Thing(std::move(what));
  ++played.n_objects;
  return 0;
}
int unmake(Object object) {
  delete &thing(object);
  --played.n_objects;
  return 0;
}
int set(Object object, int attribute, const void* value, std::size_t bytes) {
  std::memcpy(&thing(object).set[attribute], value, bytes);
  return 0;
}

double element(const void* matrix, const Thing& layout, std::uint64_t row, std::uint64_t column) {
  const std::size_t at = row + column * static_cast<std::size_t>(layout.leading);
  if (layout.type == 0) return static_cast<double>(static_cast<const float*>(matrix)[at]);
  const std::uint16_t bits = static_cast<const std::uint16_t*>(matrix)[at];
  return static_cast<double>(layout.type == 2 ? float_from_half(bits) : float_from_bf16(bits));
}

int play_multiply(Object, Object product, const void* alpha, const void* a, Object a_layout,
                  const void* b, Object b_layout, const void* beta, const void* c, Object c_layout,
                  void* d, Object d_layout, const CublasLtApi::Algorithm* algorithm,
                  void* workspace, std::size_t workspace_bytes, cudaStream_t) {
  if (played.multiply_status != 0) return played.multiply_status;
  const Thing &la = thing(a_layout), &lb = thing(b_layout), &ld = thing(d_layout);
  std::map<int, std::uint64_t>& what = thing(product).set;
  EXPECT_EQ(algorithm->data[0], 77u);
  EXPECT_EQ(workspace == nullptr, workspace_bytes == 0);
  // The first transposed: (k, rows of d) and (k, columns of d).
  EXPECT_EQ(what[3], 1u);
  EXPECT_EQ(la.rows, lb.rows);
  EXPECT_EQ(la.columns, ld.rows);
  EXPECT_EQ(lb.columns, ld.columns);
  EXPECT_EQ(ld.type, 0);
  EXPECT_EQ(&thing(c_layout), &ld);
  const bool with_bias = what[7] == 4;
  const auto* bias = reinterpret_cast<const float*>(what[8]);
  for (std::uint64_t row = 0; row < ld.rows; ++row) {
    for (std::uint64_t column = 0; column < ld.columns; ++column) {
      double sum = 0;
      for (std::uint64_t k = 0; k < la.rows; ++k) {
        sum += element(a, la, k, row) * element(b, lb, k, column);
      }
      sum *= static_cast<double>(*static_cast<const float*>(alpha));
      const float factor = *static_cast<const float*>(beta);
      if (factor != 0) sum += static_cast<double>(factor) * element(c, ld, row, column);
      if (with_bias) sum += static_cast<double>(bias[row]);
      static_cast<float*>(d)[row + column * static_cast<std::size_t>(ld.leading)] =
          static_cast<float>(sum);
    }
  }
  return 0;
}

CublasLtApi played_api() {
  return {
      .create =
          [](Object* handle) {
            return played.create_status != 0 ? played.create_status : make(handle, {});
          },
      .destroy = unmake,
      .version = [] { return std::size_t{130100}; },
      .create_product =
          [](Object* product, int compute_type, int scale_type) {
            played.compute_type = compute_type;
            EXPECT_EQ(scale_type, 0);
            return make(product, {});
          },
      .set_product = set,
      .destroy_product = unmake,
      .create_layout =
          [](Object* layout, int type, std::uint64_t rows, std::uint64_t columns,
             std::int64_t leading) {
            return make(layout, {type, rows, columns, leading});
          },
      .destroy_layout = unmake,
      .create_preference = [](Object* preference) { return make(preference, {}); },
      .set_preference = set,
      .destroy_preference = unmake,
      .choose =
          [](Object, Object, Object, Object, Object, Object, Object preference, int n_asked,
             CublasLtApi::Choice* choices, int* n_given) {
            ++played.n_chosen;
            played.preferences = thing(preference).set;
            EXPECT_EQ(n_asked, 1);
            *n_given = played.n_algorithms;
            choices[0].algorithm.data[0] = 77;
            return played.n_algorithms > 0 ? 0 : 15;
          },
      .multiply = play_multiply,
  };
}

struct Product {
  std::int64_t n_rows = 3, n = 5, k = 7;
  std::vector<float> in{}, weight{}, bias{}, out{};
  std::vector<std::uint16_t> half_in{}, half_weight{};
  cuda::HalfLinearCall call{};
  std::vector<float> want{};
};

// Small whole numbers, exact in every type.
Product product(DType dtype, bool with_bias, bool accumulate) {
  Product p;
  for (int i = 0; i < p.n_rows * p.k; ++i) p.in.push_back(static_cast<float>(i % 5 - 2));
  for (int i = 0; i < p.n * p.k; ++i) p.weight.push_back(static_cast<float>(i % 7 - 3));
  for (int i = 0; i < p.n; ++i) p.bias.push_back(static_cast<float>(10 * i));
  for (int i = 0; i < p.n_rows * p.n; ++i) p.out.push_back(static_cast<float>(100 * i));
  for (std::int64_t row = 0; row < p.n_rows; ++row) {
    for (std::int64_t output = 0; output < p.n; ++output) {
      const auto at = static_cast<std::size_t>(row * p.n + output);
      float sum = accumulate ? p.out[at] : 0;
      if (with_bias) sum += p.bias[static_cast<std::size_t>(output)];
      for (std::int64_t i = 0; i < p.k; ++i) {
        sum += p.in[static_cast<std::size_t>(row * p.k + i)] *
               p.weight[static_cast<std::size_t>(output * p.k + i)];
      }
      p.want.push_back(sum);
    }
  }
  const auto halves = [dtype](const std::vector<float>& numbers) {
    std::vector<std::uint16_t> out;
    for (const float x : numbers) {
      out.push_back(dtype == DType::f16 ? half_from_float(x) : bf16_from_float(x));
    }
    return out;
  };
  p.half_in = halves(p.in);
  p.half_weight = halves(p.weight);
  const bool whole = dtype == DType::f32;
  p.call = {.in = whole ? static_cast<void*>(p.in.data()) : p.half_in.data(),
            .weight = whole ? static_cast<void*>(p.weight.data()) : p.half_weight.data(),
            .bias = with_bias ? p.bias.data() : nullptr,
            .out = p.out.data(),
            .n_rows = p.n_rows,
            .n = p.n,
            .k = p.k,
            .accumulate = accumulate,
            .dtype = dtype};
  return p;
}

class PlayedCublasLt : public testing::Test {
 protected:
  PlayedCublasLt() {
    played = {};
    library_ = CublasLt::over(played_api(), why_not_);
  }

  std::string why_not_;
  std::unique_ptr<CublasLt> library_;
};

TEST_F(PlayedCublasLt, MultipliesEveryTypeWithBiasAndSum) {
  EXPECT_EQ(library_->version(), "13.1.0");
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    for (const bool with_bias : {false, true}) {
      for (const bool accumulate : {false, true}) {
        SCOPED_TRACE(std::string(name_of(dtype)) + (with_bias ? ", bias" : "") +
                     (accumulate ? ", accumulate" : ""));
        Product p = product(dtype, with_bias, accumulate);
        EXPECT_TRUE(library_->matmul(p.call, {}, nullptr));
        EXPECT_EQ(p.out, p.want);
        EXPECT_EQ(played.compute_type, dtype == DType::f32 ? 69 : 68);  // 69: pedantic
      }
    }
  }
}

TEST_F(PlayedCublasLt, ChoosesOnceAShapeAndTakesTheBiasOfTheCall) {
  Product p = product(DType::f16, true, false);
  alignas(256) float other_bias[64] = {};
  alignas(256) float bias[64] = {};
  std::ranges::copy(p.bias, bias);
  p.call.bias = other_bias;
  EXPECT_TRUE(library_->matmul(p.call, {}, nullptr));
  p.call.bias = bias;
  EXPECT_TRUE(library_->matmul(p.call, {}, nullptr));
  EXPECT_EQ(p.out, p.want);
  EXPECT_EQ(played.n_chosen, 1);
  --p.call.n_rows;
  EXPECT_TRUE(library_->matmul(p.call, {}, nullptr));
  EXPECT_EQ(played.n_chosen, 2);
}

TEST_F(PlayedCublasLt, AsksForNoReductionAndNoMoreThanThereIs) {
  alignas(256) std::byte room[512];
  Product p = product(DType::f16, false, false);
  alignas(256) std::uint16_t weight[64] = {};
  p.call.weight = weight + 8;  // 16 bytes behind a boundary
  EXPECT_TRUE(library_->matmul(p.call, {room, sizeof room}, nullptr));
  EXPECT_EQ(played.preferences.at(3), 0u);  // reduction schemes: none
  EXPECT_EQ(played.preferences.at(1), sizeof room);
  EXPECT_EQ(played.preferences.at(5), 16u);
  for (const int side : {6, 7, 8}) EXPECT_GE(played.preferences.at(side), 4u);
}

TEST_F(PlayedCublasLt, LeavesToTheCallerWhatItCannotDo) {
  played.n_algorithms = 0;
  Product p = product(DType::f16, true, true);
  const std::vector<float> before = p.out;
  EXPECT_FALSE(library_->matmul(p.call, {}, nullptr));
  EXPECT_FALSE(library_->matmul(p.call, {}, nullptr));
  EXPECT_EQ(played.n_chosen, 1);
  EXPECT_EQ(p.out, before);
  EXPECT_TRUE(library_->matmul({.n = 4, .k = 4}, {}, nullptr));  // no rows: nothing to do
}

TEST_F(PlayedCublasLt, ThrowsWhereAProductFails) {
  played.multiply_status = 13;
  Product p = product(DType::bf16, false, false);
  try {
    library_->matmul(p.call, {}, nullptr);
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "GPU: a matrix product failed: cuBLASLt gives status 13; run again; if it stays so, "
              "run with --device cpu");
  }
}

TEST_F(PlayedCublasLt, GivesEverythingBack) {
  Product p = product(DType::f16, true, false);
  EXPECT_TRUE(library_->matmul(p.call, {}, nullptr));
  EXPECT_EQ(played.n_objects, 5u);  // the library, a product, three layouts
  library_.reset();
  EXPECT_EQ(played.n_objects, 0u);
}

TEST(CublasLt, SaysThatItCannotStart) {
  played = {.create_status = 1};
  std::string why_not;
  EXPECT_EQ(CublasLt::over(played_api(), why_not), nullptr);
  EXPECT_EQ(why_not, "cuBLASLt cannot start: status 1");
}

}  // namespace
}  // namespace qaq::test
