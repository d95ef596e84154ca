#include "data/capture/h5_type.h"

namespace qaq::h5 {

Handle file_type(DType dtype) {
  if (dtype == DType::bf16) return {H5Tcopy(H5T_STD_U16LE), H5Tclose};
  Handle type{H5Tcopy(H5T_IEEE_F32LE), H5Tclose};
  if (dtype == DType::f16) {
    // Sign at bit 15, 5 bits of exponent from bit 10, 10 bits of mantissa.
    H5Tset_fields(type.id(), 15, 10, 5, 0, 10);
    H5Tset_size(type.id(), 2);
    H5Tset_ebias(type.id(), 15);
  }
  return type;
}

Handle text_type() {
  Handle type{H5Tcopy(H5T_C_S1), H5Tclose};
  H5Tset_size(type.id(), H5T_VARIABLE);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

Handle bytes_type() { return {H5Tvlen_create(H5T_STD_U8LE), H5Tclose}; }

Stored stored_as(hid_t type, bool is_bf16) {
  const H5T_class_t type_class = H5Tget_class(type);
  if (type_class == H5T_INTEGER) {
    return is_bf16 && H5Tget_size(type) == 2 && H5Tget_sign(type) == H5T_SGN_NONE ? Stored::bf16
                                                                                  : Stored::integer;
  }
  if (type_class != H5T_FLOAT) return Stored::other;
  if (H5Tequal(type, H5T_IEEE_F32LE) > 0) return Stored::f32;
  if (H5Tequal(type, file_type(DType::f16).id()) > 0) return Stored::f16;
  return Stored::converted_float;
}

}  // namespace qaq::h5
