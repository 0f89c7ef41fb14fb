# zkd in a container: one static binary, a plain user, data in /data.
FROM golang:1.26 AS build
ARG VERSION=dev
ARG DATE=
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X zkd/server.Version=${VERSION#v} -X zkd/server.BuildDate=${DATE}" -o /out/zkd ./cmd/zkd \
 && install -d -m 0700 /out/data && cp conf/zoo.cfg.example /out/zoo.cfg \
 && sed -i 's|^dataDir=.*|dataDir=/data|' /out/zoo.cfg

FROM scratch
COPY --from=build /out/zkd /usr/local/bin/zkd
COPY --from=build --chown=65532:65532 /out/zoo.cfg /conf/zoo.cfg
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
VOLUME /data
EXPOSE 2181 2888 3888
ENTRYPOINT ["/usr/local/bin/zkd"]
CMD ["server", "/conf/zoo.cfg"]
