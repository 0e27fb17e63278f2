import ray


@ray.remote
def square(n: int) -> int:
    return n * n


print(ray.get([square.remote(n) for n in range(4)]))
