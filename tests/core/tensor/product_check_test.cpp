#include "core/tensor/product_check.h"

#include <cmath>
#include <gtest/gtest.h>

#include "core/tensor/matmul.h"

namespace qaq {
namespace {

TEST(ProductCheck, EveryWayOfThisBuildIsRight) {
  for (const ProductCheck& check : check_products()) {
    EXPECT_TRUE(check.right()) << check.name << ": " << check.error;
    EXPECT_GT(check.error, 0.0) << check.name << " cannot be exact to the last bit of float64";
    EXPECT_FALSE(check.name.empty());
  }
  EXPECT_NO_THROW(require_right_products());
}

TEST(ProductCheck, SeesAColumnThatIsLeftOut) {
  const ProductCheck check = check_product(
      "forgetful", [](NdView<const float, 2> a, NdView<const float, 2> b, NdView<float, 2> c) {
        matmul_nt(a, b, c);
        for (std::int64_t i = 0; i < c.shape(0); ++i) c(i, c.shape(1) - 1) = 0;
      });
  EXPECT_FALSE(check.right());
}

TEST(ProductCheck, SeesOneWrongTerm) {
  const ProductCheck check = check_product(
      "careless", [](NdView<const float, 2> a, NdView<const float, 2> b, NdView<float, 2> c) {
        matmul_nt(a, b, c);
        c(0, 0) += a(0, 0) * b(0, 0);
      });
  EXPECT_FALSE(check.right());
}

TEST(ProductCheck, SeesWhatWasNotWritten) {
  const ProductCheck check = check_product(
      "idle", [](NdView<const float, 2>, NdView<const float, 2>, NdView<float, 2>) {});
  EXPECT_FALSE(check.right());
}

TEST(ProductCheck, SeesOneElementThatIsNoNumberInAnyProduct) {
  for (int wrong = 0; wrong < 3; ++wrong) {
    int n_products = 0;
    const ProductCheck check = check_product(
        "holey", [&](NdView<const float, 2> a, NdView<const float, 2> b, NdView<float, 2> c) {
          matmul_nt(a, b, c);
          if (n_products++ == wrong) c(0, 0) = std::nanf("");
        });
    EXPECT_EQ(n_products, 3);
    EXPECT_FALSE(check.right()) << "product " << wrong;
  }
}

}  // namespace
}  // namespace qaq
