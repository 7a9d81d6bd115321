// What the kernels need of the machine: types, and 32-bit arithmetic with a carry flag.
//
// Two versions of each instruction stand side by side: PTX for a GPU, and plain C++ that keeps the flag in a variable,
// for a compiler without one. Everything above this file is written once. `__CUDA_ARCH__` appears nowhere else.

#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;

#define DEVICE static __device__ __forceinline__
#define OUTLINE static __device__ __noinline__
#define KERNEL extern "C" __global__ void
#define UNROLL _Pragma("unroll")

// The block's dynamic shared memory, as many bytes as the launch asked for, aligned to 16.
#ifdef __CUDA_ARCH__
#define DYNAMIC_SHARED(name) extern __shared__ __align__(16) u8 name[]
#else
#define DYNAMIC_SHARED(name) u8* name = (u8*)__dynamic_shared()
#endif

// A run of instructions linked by the carry flag: `add` and `mad` set it, `addc` and `madc` read and set it, names
// ending in `end` read it last. On a GPU the flag is the machine's and the object is empty; nothing but these
// instructions touches the flag, so one chain must end before the next begins.
//
// PTX ISA, "Extended-Precision Integer Arithmetic Instructions": add.cc, addc, sub.cc, subc, mad.cc, madc.
struct Chain {
#ifdef __CUDA_ARCH__
#define AITBC_CARRY_OP(name, text)                                                       \
    __device__ __forceinline__ u32 name(u32 a, u32 b) {                                  \
        u32 r;                                                                           \
        asm volatile(text " %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));                    \
        return r;                                                                        \
    }
#define AITBC_CARRY_MAD(name, text)                                                      \
    __device__ __forceinline__ u32 name(u32 a, u32 b, u32 c) {                           \
        u32 r;                                                                           \
        asm volatile(text " %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));        \
        return r;                                                                        \
    }
    AITBC_CARRY_OP(add, "add.cc.u32")
    AITBC_CARRY_OP(addc, "addc.cc.u32")
    AITBC_CARRY_OP(addc_end, "addc.u32")
    AITBC_CARRY_OP(sub, "sub.cc.u32")
    AITBC_CARRY_OP(subc, "subc.cc.u32")
    AITBC_CARRY_OP(subc_end, "subc.u32")
    AITBC_CARRY_MAD(mad_lo, "mad.lo.cc.u32")
    AITBC_CARRY_MAD(madc_lo, "madc.lo.cc.u32")
    AITBC_CARRY_MAD(madc_hi, "madc.hi.cc.u32")
    AITBC_CARRY_MAD(madc_hi_end, "madc.hi.u32")
#undef AITBC_CARRY_OP
#undef AITBC_CARRY_MAD
#else
    u32 flag = 0;

    u32 add(u32 a, u32 b) { return set((u64)a + b); }
    u32 addc(u32 a, u32 b) { return set((u64)a + b + flag); }
    u32 addc_end(u32 a, u32 b) { return a + b + flag; }
    u32 sub(u32 a, u32 b) { return set((u64)a - b); }
    u32 subc(u32 a, u32 b) { return set((u64)a - b - flag); }
    u32 subc_end(u32 a, u32 b) { return a - b - flag; }
    u32 mad_lo(u32 a, u32 b, u32 c) { return set((u64)(u32)((u64)a * b) + c); }
    u32 madc_lo(u32 a, u32 b, u32 c) { return set((u64)(u32)((u64)a * b) + c + flag); }
    u32 madc_hi(u32 a, u32 b, u32 c) { return set((((u64)a * b) >> 32) + c + flag); }
    u32 madc_hi_end(u32 a, u32 b, u32 c) { return (u32)(((u64)a * b) >> 32) + c + flag; }

private:
    // Both a carry and a borrow are bit 32 of the 64-bit result.
    u32 set(u64 wide) {
        flag = (u32)(wide >> 32) & 1;
        return (u32)wide;
    }
#endif
};

// The multiprocessor's clock; the twin counts how often it is asked.
#ifdef __CUDA_ARCH__
DEVICE u64 clock_cycles() { return (u64)clock64(); }
#else
DEVICE u64 clock_cycles() {
    static u64 asked = 0;
    return ++asked;
}
#endif

// a·b + c rounded toward zero, for integers: a and b below 2^53, c and the sum below 2^106 in size.
#ifdef __CUDA_ARCH__
DEVICE double fma_rz(double a, double b, double c) { return __fma_rz(a, b, c); }
DEVICE u64 bits(double x) { return (u64)__double_as_longlong(x); }
DEVICE double from_bits(u64 x) { return __longlong_as_double((long long)x); }
#else
DEVICE double fma_rz(double a, double b, double c) {
    __int128 exact = (__int128)(long long)a * (long long)b + (__int128)c, kept = exact < 0 ? -exact : exact;
    int excess = 0;
    while (kept >> excess >> 53) excess++;
    kept = kept >> excess << excess;
    return (double)(exact < 0 ? -kept : kept);
}
DEVICE u64 bits(double x) {
    u64 r;
    __builtin_memcpy(&r, &x, sizeof r);
    return r;
}
DEVICE double from_bits(u64 x) {
    double r;
    __builtin_memcpy(&r, &x, sizeof r);
    return r;
}
#endif
