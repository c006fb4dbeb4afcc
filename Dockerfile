# The command `car` in a container: docker build --tag internetcar:0.1.0 .
FROM python:3.11.13-slim-bookworm AS builder
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY internetcar internetcar
COPY gateway gateway
COPY services services
COPY simulator simulator
COPY dbc dbc
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11.13-slim-bookworm
COPY --from=builder /wheels /wheels
RUN python -m pip install --no-cache-dir --only-binary :all: "$(ls /wheels/internetcar-*.whl)[cars,drone,postgres]"
RUN useradd --system --uid 10001 --no-create-home --home-dir /var/lib/internetcar internetcar \
    && install --directory --owner internetcar --mode 0700 /var/lib/internetcar /run/internetcar
ENV PYTHONUNBUFFERED=1 XDG_STATE_HOME=/var/lib INTERNETCAR_RUN=/run/internetcar
USER internetcar
WORKDIR /var/lib/internetcar
ENTRYPOINT ["car"]
CMD ["--help"]
